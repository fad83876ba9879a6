/**
 * What loading or reading a model has failed with, where that is its file's fault: JSON, as the contract has it, with the size and the time
 * of the file (`bytes`, `modifiedAt`), as long as which it holds.
 */
export const brokenModels = `
ALTER TABLE models ADD COLUMN broken TEXT;
`;
