// What of links and invitations has had its time. For the nightly job.
import type { Store } from '../../store/store.js';
import { emailChangesIn, invitationsIn, resetsIn } from '../queries.js';
import { day } from '../rules.js';

/** Days for which a link that opens nothing any more is kept, so that its page can say why. */
const keptDays = 30;

/** Takes away links that ended more than 30 days ago; those with news that waits stay. Returns how many. */
export async function pruneLinks(store: Store, now: Date): Promise<number> {
  const before = new Date(now.getTime() - keptDays * day);
  const old = { expiresAt: { $lt: before }, 'events.0': { $exists: false } };
  const gone = [
    await resetsIn(store).deleteMany(old),
    await emailChangesIn(store).deleteMany(old),
    await invitationsIn(store).deleteMany(old),
  ];
  return gone.reduce((sum, one) => sum + one.deletedCount, 0);
}
