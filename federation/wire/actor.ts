// Our actors as others see them. Plain JSON: every field that a known peer needs, in the form in which it needs it.
import type { LocalText } from '../../server/shapes.js';
import type { ActorKeys } from '../actorKeys.js';
import type { LocalActor } from '../actors.js';
import type { Apex } from '../apex.js';
import { catalogueTerms, ourNamespace } from '../contexts.js';
import { actorContext, inBothLanguages, type Json, link, paragraphs } from './namespace.js';

export interface ActorFrame {
  apex: Apex;
  keys: ActorKeys;
  baseUrl: string;
  host: string;
  language: 'fr' | 'en';
  /** Name and description of the instance, for its own actor. */
  instance: { name: string; description: LocalText };
  /** Accounts elsewhere that are the same, and the one to which it has moved. */
  aliases?: readonly string[];
  movedTo?: string | null;
}

/** Where a hoster's services are listed, or an instance's hosters. */
export function catalogueIri(actor: string): string {
  return `${actor}/catalogue`;
}

export function toActor(actor: LocalActor, frame: ActorFrame): Json {
  const streams = frame.apex.streamsOf(actor.handle);
  return {
    '@context': [...actorContext, catalogueTerms],
    id: actor.iri,
    ...describe(actor, frame),
    ...(frame.aliases?.length ? { alsoKnownAs: frame.aliases } : {}),
    ...(frame.movedTo ? { movedTo: frame.movedTo } : {}),
    ...(actor.kind === 'person' ? {} : { catalogue: catalogueIri(actor.iri) }),
    preferredUsername: actor.handle,
    webfinger: `${actor.handle}@${frame.host}`,
    inbox: streams.inbox,
    outbox: streams.outbox,
    followers: streams.followers,
    following: streams.following,
    endpoints: { sharedInbox: `${frame.baseUrl}/inbox` },
    publicKey: { id: frame.keys.rsa.id, owner: actor.iri, publicKeyPem: frame.keys.rsa.publicPem },
    assertionMethod: [
      {
        id: frame.keys.ed25519.id,
        type: 'Multikey',
        controller: actor.iri,
        publicKeyMultibase: frame.keys.ed25519.multikey,
      },
    ],
    generator: {
      type: 'Application',
      id: frame.apex.actorIri('instance'),
      implements: [
        { href: 'https://datatracker.ietf.org/doc/html/rfc9421', name: 'RFC-9421: HTTP Message Signatures' },
        {
          href: 'https://datatracker.ietf.org/doc/html/rfc9421#name-eddsa-using-curve-edwards25',
          name: 'RFC-9421 signatures using the Ed25519 algorithm',
        },
        { href: ourNamespace, name: 'Chatière catalogue' },
      ],
    },
  };
}

function describe(actor: LocalActor, frame: ActorFrame): Json {
  switch (actor.kind) {
    case 'instance':
      return {
        type: 'Application',
        url: `${frame.baseUrl}/about`,
        name: frame.instance.name,
        ...inBothLanguages('summary', asHtml(frame.instance.description), frame.language),
        manuallyApprovesFollowers: false,
        discoverable: false,
        indexable: false,
        attachment: [],
      };
    case 'person':
      return {
        type: 'Person',
        url: `${frame.baseUrl}/@${actor.handle}`,
        name: actor.person.displayName,
        ...inBothLanguages('summary', asHtml(actor.person.bio), frame.language),
        published: actor.person.createdAt.toISOString(),
        manuallyApprovesFollowers: actor.person.acceptsFollowers === 'by-hand',
        discoverable: true,
        indexable: false,
        attachment: [],
      };
    case 'collective':
      return describeCollective(actor, frame);
    case 'group':
      return describeGroup(actor, frame);
  }
}

function describeCollective(actor: LocalActor & { kind: 'collective' }, frame: ActorFrame): Json {
  const { profile, logoId, acceptsFollowers, createdAt, updatedAt } = actor.collective;
  const name = { fr: profile.name.fr, en: profile.name.en };
  const summary = asHtml({
    fr: [profile.tagline.fr, profile.description.fr].filter(Boolean).join('\n\n'),
    en: [profile.tagline.en, profile.description.en].filter(Boolean).join('\n\n'),
  });
  const properties: [string, string | null][] = [
    ['Web', profile.website],
    ['Contact', profile.contactUrl],
  ];
  const place = [profile.place.address, profile.place.countryName].filter(Boolean).join(', ');
  return {
    type: 'Organization',
    url: `${frame.baseUrl}/@${actor.handle}`,
    name: actor.handle,
    ...inBothLanguages('name', name, frame.language),
    ...inBothLanguages('summary', summary, frame.language),
    ...inBothLanguages('tagline', profile.tagline, frame.language),
    ...(profile.website === null ? {} : { website: profile.website }),
    ...(profile.place.address ? { place: profile.place.address } : {}),
    ...(profile.place.countryCode === null ? {} : { country: profile.place.countryCode }),
    legalForm: profile.legalForm,
    hosterStatus: profile.status,
    memberOf: profile.memberOf.filter(({ endDate }) => endDate === null).map(({ key }) => key),
    published: createdAt.toISOString(),
    updated: updatedAt.toISOString(),
    manuallyApprovesFollowers: acceptsFollowers === 'by-hand',
    discoverable: true,
    indexable: true,
    ...(logoId === null ? {} : { icon: { type: 'Image', url: `${frame.baseUrl}/media/${logoId}` } }),
    attachment: [
      ...properties.flatMap(([label, address]) =>
        address === null
          ? []
          : [{ type: 'PropertyValue', name: label, value: link(address, address.replace(/^https?:\/\//, '')) }],
      ),
      ...(place ? [{ type: 'PropertyValue', name: '📍', value: paragraphs(place).replace(/^<p>|<\/p>$/g, '') }] : []),
    ],
  };
}

/** FEP-1b12: the moderators are a collection under `attributedTo`. */
function describeGroup({ group, handle, iri }: LocalActor & { kind: 'group' }, frame: ActorFrame): Json {
  return {
    type: 'Group',
    url: `${frame.baseUrl}/@${handle}`,
    name: handle,
    ...inBothLanguages('name', group.name, frame.language),
    ...inBothLanguages('summary', asHtml(group.summary), frame.language),
    published: group.createdAt.toISOString(),
    updated: group.updatedAt.toISOString(),
    attributedTo: `${iri}/moderators`,
    postingRestrictedToMods: group.postingRestrictedToMods || group.closedAt !== null,
    manuallyApprovesFollowers: false,
    discoverable: true,
    indexable: true,
    attachment: [],
  };
}

function asHtml(text: LocalText): LocalText {
  return { fr: paragraphs(text.fr), en: paragraphs(text.en) };
}

/** What stays of an actor that is gone: enough to know that it was here. */
export function toActorTombstone(iri: string): Json {
  return { '@context': actorContext[0], id: iri, type: 'Tombstone' };
}
