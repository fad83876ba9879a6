/** Models that answer from servers which speak OpenAI's API. */
export { Servers, type ServersOptions } from './servers.ts';
