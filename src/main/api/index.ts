/** Puna's models behind OpenAI's API. */
export { Api } from './api.ts';
