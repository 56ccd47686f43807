// Writers of ChatonsInfos files: one strict form (ISO days, canonical words, decimal point), which our readers give back
// as the same model without a new remark.
import { writeProperty } from '../properties.js';
import type { FieldTable } from './fields.js';
import { canonicalKey } from './keys.js';
import { labelLines, seriesLine } from './metrics.js';
import {
  type ChatonsDocument,
  type ChatonsFederation,
  type ChatonsMetrics,
  type ChatonsOrganization,
  type ChatonsService,
  type Common,
  type DocumentKind,
  federationFields,
  fileFields,
  hostFields,
  type Links,
  membershipFields,
  organizationFields,
  type Sub,
  serviceFields,
  softwareFields,
} from './model.js';

type Line = [key: string, value: string];

interface Section {
  title: string;
  lines: Line[];
}

const CLASSES: Readonly<Record<DocumentKind, string>> = {
  federation: 'Federation',
  organization: 'Organization',
  service: 'Service',
  metrics: 'Metrics',
};

/** A whole file as text, to be sent as text/plain in UTF-8. */
export function writeChatonsInfos(model: ChatonsDocument): string {
  switch (model.kind) {
    case 'federation':
      return writeFederation(model);
    case 'organization':
      return writeOrganization(model);
    case 'service':
      return writeService(model);
    case 'metrics':
      return writeMetrics(model);
  }
}

/** The file of a network. `subs` are the addresses of its members' files; without them the model's own are written. */
export function writeFederation(model: ChatonsFederation, subs: readonly Sub[] = model.subs): string {
  return writeDocument(model, subs, [
    { title: 'Federation', lines: fieldLines(federationFields, model) },
    { title: 'Social networks', lines: linkLines('federation.socialnetworks', model.socialNetworks) },
    { title: 'Chat rooms', lines: linkLines('federation.chatrooms', model.chatrooms) },
  ]);
}

/** The file of a hoster. `subs` are the addresses of its services' files; without them the model's own are written. */
export function writeOrganization(model: ChatonsOrganization, subs: readonly Sub[] = model.subs): string {
  return writeDocument(model, subs, [
    { title: 'Organization', lines: fieldLines(organizationFields, model) },
    { title: 'Member of', lines: membershipLines(model) },
    { title: 'Social networks', lines: linkLines('organization.socialnetworks', model.socialNetworks) },
    { title: 'Chat rooms', lines: linkLines('organization.chatrooms', model.chatrooms) },
    { title: 'Funding', lines: linkLines('organization.funding', model.funding) },
  ]);
}

/** The file of a service. `subs` holds the address of its metrics file; without it the model's own are written. */
export function writeService(model: ChatonsService, subs: readonly Sub[] = model.subs): string {
  return writeDocument(model, subs, [
    { title: 'Service', lines: fieldLines(serviceFields, model) },
    { title: 'Software', lines: fieldLines(softwareFields, model.software) },
    { title: 'Host', lines: fieldLines(hostFields, model.host) },
  ]);
}

/** The file with the figures of a service. */
export function writeMetrics(model: ChatonsMetrics): string {
  return writeDocument(model, model.subs, []);
}

function writeDocument(model: ChatonsDocument, subs: readonly Sub[], own: Section[]): string {
  const file: Line[] = [['file.class', CLASSES[model.kind]], ...fieldLines(fileFields, model.file)];
  const sections = [
    { title: 'File', lines: file },
    ...own,
    { title: 'Subs', lines: subs.map(({ key, url }): Line => [`subs.${key}`, url]) },
    { title: 'Metrics', lines: [...model.labels.flatMap(labelLines), ...model.series.map(seriesLine)] },
  ];
  const written = new Set(sections.flatMap(({ lines }) => lines.map(([key]) => key)));
  const others = otherLines(model, written);
  return [...sections, { title: 'Other keys', lines: others }]
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) =>
      [`# [${title}]`, ...lines.map(([key, value]) => writeProperty(key, value)), ''].join('\n'),
    )
    .join('\n');
}

/** Keys kept aside, except those for which the model now has a value. */
function otherLines(model: Common, written: ReadonlySet<string>): Line[] {
  return model.unknown.filter(({ key }) => !written.has(canonicalKey(key))).map(({ key, value }): Line => [key, value]);
}

function fieldLines<T extends FieldTable>(table: T, fields: { [K in keyof T]?: unknown }, prefix = ''): Line[] {
  return Object.entries(table).flatMap(([name, field]) => {
    const value = fields[name];
    return value === undefined ? [] : [[`${prefix}${field.key}`, field.write(value)] satisfies Line];
  });
}

function linkLines(section: string, links: Links): Line[] {
  return sorted(links).map(([name, url]) => [`${section}.${name}`, url]);
}

function membershipLines(model: ChatonsOrganization): Line[] {
  return sorted(model.memberOf).flatMap(([slug, membership]) =>
    fieldLines(membershipFields, membership, `organization.memberof.${slug}.`),
  );
}

function sorted<T>(map: Record<string, T>): [string, T][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
