// isp.json as an organisation: what maps is mapped, what does not is kept.
import { expect } from 'chai';
import { readChatonsInfos } from '../../../server/formats/chatonsinfos/read.js';
import { writeOrganization } from '../../../server/formats/chatonsinfos/write.js';
import { readIsp } from '../../../server/formats/isp.js';

const isp = {
  name: 'Fibre du Bocage',
  shortname: 'bocage',
  description: 'Un accès à Internet associatif',
  logoURL: 'https://bocage.example/logo.png',
  website: 'https://bocage.example/',
  email: 'contact@bocage.example',
  creationDate: '2011-04-09',
  ffdnMemberSince: '2012-01-31',
  progressStatus: 7,
  memberCount: 84,
  subscriberCount: 31,
  chatrooms: ['irc://irc.bocage.example/#bocage', 'https://chat.bocage.example/', 'irc://irc.bocage.example/#aide'],
  registeredOffice: {
    'street-address': '3 rue Haute',
    'postal-code': '61000',
    locality: 'Alençon',
    'country-name': 'France',
  },
  coordinates: { latitude: 48.43, longitude: 0.09 },
  coveredAreas: [{ name: 'Bocage', technologies: ['wifi'] }],
  version: 0.1,
};
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('readIsp', () => {
  it('maps what ChatonsInfos knows and keeps the rest as JSON', () => {
    const result = readIsp(bytes(isp));
    if (!result.ok) throw new Error(result.refusal);
    expect(result.model).to.deep.equal({
      kind: 'organization',
      name: 'Fibre du Bocage',
      description: 'Un accès à Internet associatif',
      logo: 'https://bocage.example/logo.png',
      website: 'https://bocage.example/',
      contactEmail: 'contact@bocage.example',
      startDate: '2011-04-09',
      countryName: 'France',
      address: '3 rue Haute, 61000 Alençon',
      latitude: 48.43,
      longitude: 0.09,
      memberOf: { ffdn: { startDate: '2012-01-31' } },
      socialNetworks: {},
      chatrooms: {
        irc: 'irc://irc.bocage.example/#bocage',
        web: 'https://chat.bocage.example/',
        irc2: 'irc://irc.bocage.example/#aide',
      },
      funding: {},
      file: {},
      subs: [],
      series: [],
      labels: [],
      unknown: [
        { key: 'isp.shortname', value: '"bocage"' },
        { key: 'isp.progressStatus', value: '7' },
        { key: 'isp.memberCount', value: '84' },
        { key: 'isp.subscriberCount', value: '31' },
        { key: 'isp.coveredAreas', value: '[{"name":"Bocage","technologies":["wifi"]}]' },
      ],
    });
    const again = readChatonsInfos(new TextEncoder().encode(writeOrganization(result.model)));
    expect(again.ok && again.model).to.deep.equal(result.model);
  });

  it('sets aside what is no address or no day', () => {
    const result = readIsp(bytes({ ...isp, website: 'javascript:alert(1)', creationDate: 'autrefois' }));
    if (!result.ok) throw new Error(result.refusal);
    expect(result.model.website).to.equal(undefined);
    expect(
      result.warnings.filter(({ level }) => level === 'warning').map(({ code, key }) => `${code} ${key}`),
    ).to.include.members(['bad-url organization.website', 'bad-date organization.startdate']);
  });

  it('refuses what is not isp.json 0.1', () => {
    expect(readIsp(new TextEncoder().encode('{'))).to.deep.include({ refusal: 'not-json' });
    expect(readIsp(bytes([isp]))).to.deep.include({ refusal: 'not-json' });
    expect(readIsp(Uint8Array.from([0xff, 0x7b]))).to.deep.include({ refusal: 'not-json' });
    expect(readIsp(bytes({ ...isp, version: 0.2 }))).to.deep.equal({
      ok: false,
      refusal: 'not-isp',
      details: { key: 'version' },
    });
    expect(readIsp(bytes({ ...isp, name: 3 }))).to.deep.equal({
      ok: false,
      refusal: 'not-isp',
      details: { key: 'name' },
    });
    expect(readIsp(new Uint8Array(1024 * 1024 + 1))).to.deep.include({ refusal: 'too-large' });
  });
});
