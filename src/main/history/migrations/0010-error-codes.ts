/** What kind of failure ended a reply, besides the words of it. */
export const errorCodes = `
ALTER TABLE messages ADD COLUMN error_code TEXT;
`;
