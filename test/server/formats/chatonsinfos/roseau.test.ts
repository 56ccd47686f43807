// ROSEAU is what the demo and most tests stand on: its data must fit the forms and its files be flawless.
import { expect } from 'chai';
import { serviceProfileShape } from '../../../../server/catalogue/schema.js';
import { isCoherentHost } from '../../../../server/formats/chatonsinfos/lint.js';
import { readChatonsInfos } from '../../../../server/formats/chatonsinfos/read.js';
import { roseauChatonsInfosFiles, roseauFederationFile, roseauMember, roseauMembers } from '../../../support/roseau.js';

const read = (text: string) => readChatonsInfos(new TextEncoder().encode(text));

describe('ROSEAU', () => {
  it('has eight members, one paused and one gone, and twelve services', () => {
    expect(roseauMembers.map(({ id, profile }) => `${id} ${profile.status}`)).to.deep.equal([
      'ecluse ACTIVE',
      'tuilelierre ACTIVE',
      'octetsmarais ACTIVE',
      'nuagecausses IDLE',
      'serrecommune ACTIVE',
      'fournil ACTIVE',
      'gouttiere ACTIVE',
      'ruisseau AWAY',
    ]);
    expect(roseauMembers.flatMap(({ services }) => services)).to.have.length(12);
  });

  it('has profiles that the forms accept unchanged, complete in both languages', () => {
    for (const { services } of roseauMembers) {
      for (const { profile, slug } of services) {
        expect(serviceProfileShape.parse(profile), slug).to.deep.equal(profile);
        for (const text of [profile.name, profile.description, profile.priceNote, profile.limits]) {
          expect(text.fr, slug).not.to.equal('');
          expect(text.en, slug).not.to.equal('');
        }
      }
    }
  });

  it('has hosts that can exist', () => {
    for (const { services } of roseauMembers) {
      for (const { profile } of services) {
        const { providerType, serverType } = profile.host;
        expect(providerType !== null && serverType !== null && isCoherentHost(providerType, serverType)).to.equal(true);
      }
    }
  });

  it('publishes files on which our reader has only advice to give', () => {
    for (const { id } of roseauMembers) {
      for (const [path, text] of roseauChatonsInfosFiles(id, 'https://files.example')) {
        const result = read(text);
        if (!result.ok) throw new Error(`${path}: ${result.refusal}`);
        const said = result.warnings.filter(({ level }) => level !== 'info');
        const allowed = path.includes('-courrier') || path.includes('-salon') ? ['software.license.url'] : [];
        expect(
          said.map(({ key }) => key),
          path,
        ).to.deep.equal(path.includes('-metrics') ? [] : allowed);
      }
    }
  });

  it('publishes files that name each other, from the network down to the figures', () => {
    const base = 'https://files.example';
    const federation = read(roseauFederationFile(base)[1]);
    if (!federation.ok) throw new Error(federation.refusal);
    expect(federation.model.subs.map(({ url }) => url)).to.include(
      `${base}/.well-known/chatonsinfos/ecluse.properties`,
    );
    expect([...roseauChatonsInfosFiles('ecluse', base).keys()]).to.deep.equal([
      '/.well-known/chatonsinfos/ecluse.properties',
      '/.well-known/chatonsinfos/ecluse-pads.properties',
      '/.well-known/chatonsinfos/ecluse-pads-metrics.properties',
      '/.well-known/chatonsinfos/ecluse-nuage.properties',
      '/.well-known/chatonsinfos/ecluse-nuage-metrics.properties',
    ]);
    const metrics = read(
      roseauChatonsInfosFiles('ecluse', base).get('/.well-known/chatonsinfos/ecluse-pads-metrics.properties') ?? '',
    );
    expect(metrics.ok && metrics.model.series).to.deep.equal(roseauMember('ecluse').services[0]?.metrics);
  });
});
