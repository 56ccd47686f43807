// Acting from one's own server: what a visitor names, and what a server elsewhere sends to us. Shapes only.
import { z } from 'zod';

export const wishes = ['follow', 'reply', 'like', 'announce', 'open'] as const;
export type Wish = (typeof wishes)[number];

const handle = z.string().regex(/^[a-z0-9_]{1,30}$/);
/** One of ours by its name, or one of our posts. */
const target = { actor: handle.optional(), post: z.uuid().optional() };
export const targetQuery = z.object({ ...target, account: z.string().max(400).default('') });
export const wishQuery = z.object({ ...target, account: z.string().max(400).default(''), wish: z.enum(wishes) });
/** As Mastodon calls it, and FEP-3b86 after it. */
export const authorizeQuery = z.object({ uri: z.string().trim().max(1000).default('') });
