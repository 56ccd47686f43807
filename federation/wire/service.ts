// A hosted service: a Note that anybody can show, with the service itself beside it as extension data for those who know
// our vocabulary (federation/contexts/chatiere-v1.json).
import type { Service } from '../../server/catalogue/schema.js';
import type { Translate } from '../../server/i18n.js';
import { fold, type LocalText, textIn } from '../../server/shapes.js';
import { inBothLanguages, type Json, link, paragraphs } from './namespace.js';

export type ServiceOccasion = 'published' | 'updated' | 'closed';

export interface Hashtag {
  name: string;
  href: string;
}

export interface ServiceNoteFrame {
  baseUrl: string;
  /** The service's page for people. */
  url: string;
  /** A translator for each language. */
  t: Record<'fr' | 'en', Translate>;
}

/** The text of the Note, in both languages: what happened, what it is, where it is. */
export function toServiceHtml(service: Service, occasion: ServiceOccasion, frame: ServiceNoteFrame): LocalText {
  return { fr: htmlIn('fr', service, occasion, frame), en: htmlIn('en', service, occasion, frame) };
}

function htmlIn(language: 'fr' | 'en', service: Service, occasion: ServiceOccasion, frame: ServiceNoteFrame): string {
  const { profile } = service;
  const t = frame.t[language];
  const name = textIn(profile.name, language) || service.slug;
  const headline = paragraphs(t(`partners.note.${occasion}`, { name }));
  const address = occasion === 'closed' || profile.website === null ? frame.url : profile.website;
  const where = `<p>${link(address, address.replace(/^https?:\/\//, ''))}</p>`;
  if (occasion === 'closed') return headline + where;
  const description = paragraphs(shorten(textIn(profile.description, language)));
  const facts = [profile.software.name, profile.load === 'FULL' ? t('partners.note.full') : '']
    .filter(Boolean)
    .join(' · ');
  const tags = hashtagsOf(service, frame.baseUrl).map((tag) => link(tag.href, tag.name, 'mention hashtag'));
  return headline + description + paragraphs(facts) + where + (tags.length > 0 ? `<p>${tags.join(' ')}</p>` : '');
}

/** The first paragraphs up to 600 characters: the page has the rest. */
function shorten(text: string): string {
  if (text.length <= 600) return text;
  const cut = text.slice(0, 600);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), 400))}…`;
}

/** The software's name and what the service is good for, as tags that lead to our finder. */
export function hashtagsOf(service: Service, baseUrl: string): Hashtag[] {
  const { software, needs } = service.profile;
  const word = fold(software.name).replaceAll(' ', '');
  const named = /^[\p{L}\p{N}]*\p{L}[\p{L}\p{N}]*$/u.test(word)
    ? [{ name: `#${word}`, query: `software=${word}` }]
    : [];
  const useful = needs.filter((need) => need !== 'other').slice(0, 4);
  return [...named, ...useful.map((need) => ({ name: `#${need}`, query: `need=${need}` }))].map(({ name, query }) => ({
    name,
    href: `${baseUrl}/services?${query}`,
  }));
}

export function hostedServiceIri(baseUrl: string, serviceId: string): string {
  return `${baseUrl}/services/${serviceId}`;
}

/** The service as data. Everything in it is public on its page too. `country`: where the data is. */
export function toHostedService(
  service: Service,
  hoster: string,
  frame: Pick<ServiceNoteFrame, 'baseUrl' | 'url'>,
  language: 'fr' | 'en',
): Json {
  const { profile } = service;
  const { host, software } = profile;
  const said = (name: string, value: string | null) => (value ? { [name]: value } : {});
  return {
    id: hostedServiceIri(frame.baseUrl, service._id),
    type: 'HostedService',
    hoster,
    url: frame.url,
    ...inBothLanguages('name', profile.name, language),
    ...inBothLanguages('summary', profile.description, language),
    ...said('website', profile.website),
    needs: profile.needs,
    ...said('softwareName', software.name),
    ...said('softwareWebsite', software.website),
    ...said('softwareVersion', software.version),
    ...said('softwareLicense', software.licenseName),
    registration: profile.registration,
    room: profile.load,
    serviceStatus: profile.status,
    serviceLanguages: profile.languages,
    ...inBothLanguages('statusNote', profile.statusDescription, language),
    ...inBothLanguages('price', profile.priceNote, language),
    ...inBothLanguages('limits', profile.limits, language),
    ...said('openedOn', profile.startDate),
    ...said('closesOn', profile.endDate),
    ...said('hostName', host.name),
    ...said('providerType', host.providerType),
    ...said('serverType', host.serverType),
    ...said('country', service.country),
    ...(service.publishedAt === null ? {} : { published: service.publishedAt.toISOString() }),
    updated: service.updatedAt.toISOString(),
  };
}
