import type { Translation } from '../translation.ts';
import type { en } from './en.ts';

export const ko: Translation<typeof en> = {
  title: 'Datasets',
};
