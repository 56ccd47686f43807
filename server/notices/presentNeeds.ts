// What needs a person as plain data: for the page, and for the private feeds.

import type { AtomFeed } from '../formats/atom.js';
import type { Calendar } from '../formats/ical.js';
import type { House } from '../house.js';
import type { Translate } from '../i18n.js';
import { say } from '../i18n.js';
import type { Need, Urgency } from './needs.js';
import type { NoticeFeed } from './schema.js';

const groups: readonly Urgency[] = ['now', 'soon', 'later'];

export function presentNeeds(needs: readonly Need[]): object {
  return {
    count: needs.length,
    groups: groups
      .map((urgency) => ({
        id: `needs-${urgency}`,
        title: `notices.needs.${urgency}`,
        items: needs.filter((need) => need.urgency === urgency),
      }))
      .filter(({ items }) => items.length > 0),
  };
}

interface FeedOf {
  house: Pick<House, 'site'>;
  t: Translate;
  language: string;
  feed: NoticeFeed;
  needs: readonly Need[];
}

function titleOf(t: Translate, need: Need): string {
  return [need.collective, say(t, need.what)].filter(Boolean).join(t('mail.colon').concat(' '));
}

function changedAt({ since, changed }: Need): Date {
  return changed?.at ?? since;
}

/** Its own address is a secret and stands nowhere in it. */
export function presentAtom({ house, t, language, feed, needs }: FeedOf): AtomFeed {
  const { baseUrl, host } = house.site;
  return {
    id: `urn:uuid:${feed._id}`,
    title: t('notices.needs.feed', { host }),
    language,
    pageUrl: `${baseUrl}/my`,
    updatedAt: new Date(Math.max(feed.createdAt.getTime(), ...needs.map((need) => changedAt(need).getTime()))),
    author: { name: host },
    entries: needs.map((need) => ({
      id: `urn:chatiere:${feed._id}:${need.id}`,
      title: titleOf(t, need),
      url: baseUrl + need.href,
      updatedAt: changedAt(need),
      publishedAt: need.since,
    })),
  };
}

/** What has an end, at its end. */
export function presentCalendar({ house, t, language, feed, needs }: FeedOf): Calendar {
  const { baseUrl, host } = house.site;
  return {
    name: t('notices.needs.feed', { host }),
    language,
    events: needs.flatMap((need) =>
      need.due === null
        ? []
        : [
            {
              uid: `${feed._id}:${need.id}@${host}`,
              sequence: need.changed?.times ?? 0,
              changedAt: changedAt(need),
              startsAt: need.due,
              endsAt: null,
              summary: titleOf(t, need),
              url: baseUrl + need.href,
            },
          ],
    ),
  };
}
