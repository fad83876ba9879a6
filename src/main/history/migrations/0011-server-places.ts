/** Where a server is, follows from its address; what was written down beside it stayed behind when the rule for that became another one. */
export const serverPlaces = `
ALTER TABLE servers DROP COLUMN place;
`;
