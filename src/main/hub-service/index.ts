/** The hub in the app: what it has, how it is asked, and what is downloaded of it. */
export { Downloads } from './downloads.ts';
export { type Fits, fitsFrom } from './fits.ts';
export { HubService } from './hub-service.ts';
