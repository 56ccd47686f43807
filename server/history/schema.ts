// What the page of a history takes from its address. The lines themselves are Changes (server/events.ts).
import { z } from 'zod';
import { collectiveId } from '../collectives/schema.js';

export const historyParams = z.object({ id: collectiveId });
export const historyQuery = z.object({
  /** Only this thing. */
  of: z.uuid().or(z.literal('')).catch(''),
  /** Only older than this line. */
  before: z.uuid().or(z.literal('')).catch(''),
});
