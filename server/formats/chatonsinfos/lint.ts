// Remarks on values that are each readable but do not go together. Nothing is changed here.
import type { Host, ProviderType, ServerType, Software } from './model.js';
import type { Source } from './source.js';

/** Kinds of machine that a kind of hosting cannot have, from the table in the ChatonsInfos service model. */
const IMPOSSIBLE: Readonly<Record<ProviderType, readonly ServerType[]>> = {
  HOME: [],
  HOSTEDBAY: [],
  HOSTEDSERVER: ['NANO'],
  OUTSOURCED: ['NANO', 'PHYSICAL'],
};

/** Whether this kind of machine can exist with this kind of hosting. */
export function isCoherentHost(providerType: ProviderType, serverType: ServerType): boolean {
  return !IMPOSSIBLE[providerType].includes(serverType);
}

/** Warns: host-incoherent, at the line of the machine's kind. */
export function checkHost(host: Host, source: Source): void {
  const { providerType, serverType } = host;
  if (providerType === undefined || serverType === undefined || isCoherentHost(providerType, serverType)) return;
  source.warnAt('host.server.type', 'host-incoherent', { providerType, serverType });
}

const SPDX_PAGE = /^https?:\/\/(?:www\.)?spdx\.org\/licenses\/([^/?#]*?)(?:\.html|\.json|\.txt)?(?:[?#].*)?$/i;

/** Warns: license-url-mismatch, when the address is the SPDX page of another licence than the one named. */
export function checkLicense(software: Software, source: Source): void {
  const page = SPDX_PAGE.exec(software.licenseUrl ?? '')?.[1];
  if (page === undefined || page.toLowerCase() === software.licenseName?.toLowerCase()) return;
  source.warnAt('software.license.url', 'license-url-mismatch', { page, name: software.licenseName ?? '' });
}
