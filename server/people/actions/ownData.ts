// The download of one's own data.
import type { Context } from '../../context.js';
import { listSessions } from '../../http/session.js';
import { listReportsBy } from '../../moderation/queries.js';
import { exportPartners } from '../../partners/exports.js';
import { actorIri } from '../../partners/rules.js';
import { listOwnPosts } from '../../posts/queries.js';
import type { Doc } from '../../store/store.js';
import { exportPerson } from '../present.js';
import { emailChangesIn, findMemberships, invitationsIn, resetsIn } from '../queries.js';
import { emailKeyOf } from '../rules.js';
import type { Person } from '../schema.js';

/** All that is stored about a person, for the download (GDPR Art. 15 and 20). Secrets and other people are left out. */
export async function collectOwnData(ctx: Context, person: Person): Promise<Record<string, unknown>> {
  const { store, now } = ctx;
  const open = await listSessions(store, person._id, now);
  const invitations = await invitationsIn(store)
    .find({ emailKey: emailKeyOf(person.email) })
    .toArray();
  const changes = await emailChangesIn(store).find({ personId: person._id }).toArray();
  const resets = await resetsIn(store).find({ personId: person._id }).toArray();
  const mails = await store.collection<StoredMail>('mails').find({ personId: person._id }).toArray();
  const reports = await listReportsBy(store, person._id);
  const posts = await listOwnPosts(store, person._id, 10_000);
  return {
    exportedAt: now,
    instance: ctx.site.baseUrl,
    person: exportPerson(person),
    collectives: await findMemberships(store, person._id),
    sessions: open.map(({ startedAt, seenAt, expiresAt, device }) => ({ startedAt, seenAt, expiresAt, device })),
    invitations: invitations.map(({ email, instanceRole, collective, createdAt, usedAt }) => ({
      email,
      instanceRole,
      collective,
      createdAt,
      usedAt,
    })),
    emailChanges: changes.map(({ email, createdAt, usedAt }) => ({ email, createdAt, usedAt })),
    passwordResets: resets.map(({ requestedBy, createdAt, usedAt }) => ({ requestedBy, createdAt, usedAt })),
    reports: reports.map(({ objects, reason, comment, createdAt }) => ({ objects, reason, comment, createdAt })),
    partners: person.handle ? await exportPartners(store, actorIri(ctx.site, person.handle), person.handle) : null,
    posts: posts.map(({ text, inReplyTo, isPrivate, publishedAt, updatedAt }) => ({
      text,
      inReplyTo,
      isPrivate,
      publishedAt,
      updatedAt,
    })),
    mails: mails.map(({ to, subject, kind, createdAt, sentAt }) => ({ to, subject, kind, createdAt, sentAt })),
  };
}

/** Of the notices slice: what was written to the person. */
interface StoredMail extends Doc {
  personId: string | null;
  to: string;
  subject: string;
  kind: string;
  createdAt: Date;
  sentAt: Date | null;
}
