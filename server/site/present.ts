// What the pages around the slices show: home, about, accessibility. Entities become plain data here, nothing is decided.
import type { FinderEntry } from '../catalogue/finder.js';
import type { Need, ServiceNews } from '../catalogue/schema.js';
import type { Collective } from '../collectives/schema.js';
import type { Actor, Language } from '../context.js';
import type { presentGroup } from '../groups/present.js';
import type { DomainRule, PeerSettings } from '../instances/schema.js';
import type { InstanceSettings } from '../instances/settings.js';
import { type LocalText, textIn } from '../shapes.js';

export interface HomeFacts {
  settings: InstanceSettings;
  serviceCount: number;
  /** With those of other homes. */
  findableCount: number;
  collectiveCount: number;
  needs: { need: Need; count: number }[];
  news: ServiceNews[];
  recent: FinderEntry[];
  collectives: Collective[];
}

/** As many tiles as three rows of four hold; the finder shows the rest. */
const tileCount = 12;
const lineCount = 5;

export function presentHome(facts: HomeFacts, actor: Actor) {
  const { settings, serviceCount, collectiveCount } = facts;
  const administrator = actor?.kind === 'person' && actor.instanceRole === 'administrator';
  return {
    name: settings.name,
    tagline: hasText(settings.tagline) ? settings.tagline : null,
    description: firstParagraph(settings.description),
    serviceCount,
    findableCount: facts.findableCount,
    collectiveCount,
    isEmpty: serviceCount === 0,
    needs: facts.needs
      .filter(({ count }) => count > 0)
      .slice(0, tileCount)
      .map(({ need, count }) => ({ key: `catalogue.need.${need}`, href: `/services?need=${need}`, count })),
    news: facts.news.length > 0 ? facts.news.slice(0, lineCount).map(presentNews) : [],
    recent: facts.news.length > 0 ? [] : facts.recent.slice(0, lineCount).map(presentRecent),
    collectives: facts.collectives.map(presentHoster),
    moreCollectives: collectiveCount > facts.collectives.length,
    steps: administrator ? presentSteps(facts) : null,
  };
}

function presentNews(news: ServiceNews) {
  return {
    href: news.kind === 'withdrawn' ? null : `/@${news.hoster.handle}/services/${news.slug}`,
    name: news.serviceName,
    hoster: news.hoster.name,
    hosterHref: `/@${news.hoster.handle}`,
    key: `home.news.${news.kind}`,
    at: news.at,
  };
}

function presentRecent(service: FinderEntry) {
  return {
    href: `/@${service.hoster.handle}/services/${service.slug}`,
    name: service.name,
    hoster: service.hoster.name,
    hosterHref: `/@${service.hoster.handle}`,
    key: 'home.news.opened',
    at: service.publishedAt,
  };
}

function presentHoster({ handle, profile, logoId }: Collective) {
  return {
    href: `/@${handle}`,
    name: profile.name,
    tagline: hasText(profile.tagline) ? profile.tagline : null,
    place: townOf(profile.place.address),
    countryCode: profile.place.countryCode,
    logoSrc: logoId === null ? null : `/media/${logoId}`,
  };
}

/** The last part of "12 rue des Halles, 45200 Montargis": a list shows the town, not the street. */
function townOf(address: string): string {
  return (address.split(',').at(-1) ?? '').replace(/^\s*(?:[A-Z]{1,2}-)?\d{4,5}\s+/, '').trim();
}

/** What an administrator still has to do before the instance is of use to anybody; nothing once all is done. */
function presentSteps({ settings, serviceCount, collectiveCount }: HomeFacts) {
  const steps = [
    { name: 'describe', href: '/admin/settings', done: hasText(settings.description) },
    { name: 'hoster', href: '/my/collectives/new', done: collectiveCount > 0 },
    { name: 'services', href: '/me', done: serviceCount > 0 },
  ].map((step) => ({
    ...step,
    title: `home.step.${step.name}.title`,
    text: `home.step.${step.name}.text`,
    link: `home.step.${step.name}.link`,
  }));
  return steps.every(({ done }) => done) ? null : steps;
}

export interface AboutFacts {
  settings: InstanceSettings;
  serviceCount: number;
  collectiveCount: number;
  software: { version: string; sourceHref: string | null };
  host: string;
  /** The announcements group, where there is one. */
  announcements: ReturnType<typeof presentGroup> | null;
  peers: { settings: PeerSettings; rules: DomainRule[] };
}

/** Rules that the page shows; one more is read, to know whether there are others. */
export const shownRules = 500;

export function presentAbout({ settings, peers, ...facts }: AboutFacts, language: Language) {
  const { description } = settings;
  return {
    ...facts,
    name: settings.name,
    tagline: hasText(settings.tagline) ? settings.tagline : null,
    description: hasText(description) ? description : null,
    paragraphs: paragraphsOf(textIn(description, language)),
    contactEmail: settings.contactEmail,
    peers: peers.settings.publishesRules
      ? {
          island: peers.settings.island,
          rules: peers.rules.slice(0, shownRules).map(({ _id, kind, publicReason }) => ({
            domain: _id,
            kind: `instances.rules.kind.${kind}`,
            reason: publicReason,
          })),
          more: peers.rules.length > shownRules,
        }
      : null,
  };
}

function hasText(text: LocalText): boolean {
  return text.fr !== '' || text.en !== '';
}

function paragraphsOf(text: string): string[] {
  return text.split(/\n{2,}/).filter((part) => part.trim() !== '');
}

function firstParagraph({ fr, en }: LocalText): LocalText | null {
  return fr || en ? { fr: paragraphsOf(fr)[0] ?? '', en: paragraphsOf(en)[0] ?? '' } : null;
}
