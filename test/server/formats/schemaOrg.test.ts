// JSON-LD: only what is known, and nothing that could leave its script element.
import { expect } from 'chai';
import fc from 'fast-check';
import { organizationJsonLd, serviceJsonLd, toScriptContent } from '../../../server/formats/schemaOrg.js';

describe('organizationJsonLd', () => {
  it('leaves out what is not given', () => {
    expect(
      organizationJsonLd({ pageUrl: 'https://x.example/@e', name: 'Écluse', tagLine: '', sameAs: [] }),
    ).to.deep.equal({
      '@context': 'https://schema.org',
      '@type': 'Organization',
      '@id': 'https://x.example/@e',
      name: 'Écluse',
      url: 'https://x.example/@e',
    });
  });

  it('gives place, contact and services their types', () => {
    const document = organizationJsonLd({
      pageUrl: 'https://x.example/@e',
      name: 'Écluse',
      homeUrl: 'https://ecluse.example/',
      email: 'bonjour@ecluse.example',
      languages: ['fr'],
      address: '1 quai du Port, Montargis',
      countryCode: 'FR',
      latitude: 47.998,
      longitude: 2.733,
      servicePages: ['https://x.example/@e/services/pads'],
    });
    expect(document.contactPoint).to.deep.equal({
      '@type': 'ContactPoint',
      email: 'bonjour@ecluse.example',
      availableLanguage: ['fr'],
    });
    expect(document.address).to.deep.equal({
      '@type': 'PostalAddress',
      streetAddress: '1 quai du Port, Montargis',
      addressCountry: 'FR',
    });
    expect(document.location).to.deep.equal({
      '@type': 'Place',
      geo: { '@type': 'GeoCoordinates', latitude: 47.998, longitude: 2.733 },
    });
    expect(document.makesOffer).to.deep.equal([
      { '@type': 'Offer', itemOffered: { '@type': 'Service', '@id': 'https://x.example/@e/services/pads' } },
    ]);
  });
});

describe('serviceJsonLd', () => {
  const service = {
    pageUrl: 'https://x.example/@e/services/pads',
    name: 'Pads',
    homeUrl: 'https://pads.example/',
    provider: { pageUrl: 'https://x.example/@e', name: 'Écluse' },
  };

  it('offers an open service for nothing', () => {
    const document = serviceJsonLd({ ...service, audience: 'free', hasRoom: true });
    expect(document.isAccessibleForFree).to.equal(true);
    expect(document.offers).to.deep.equal({
      '@type': 'Offer',
      offeredBy: { '@id': 'https://x.example/@e' },
      url: 'https://pads.example/',
      availability: 'https://schema.org/InStock',
      price: 0,
      priceCurrency: 'EUR',
    });
  });

  it('names no price for members and clients, and says when there is no room', () => {
    const document = serviceJsonLd({ ...service, audience: 'members', hasRoom: false, priceNote: '12 € par an' });
    expect(document.isAccessibleForFree).to.equal(false);
    expect(document.offers).to.deep.equal({
      '@type': 'Offer',
      offeredBy: { '@id': 'https://x.example/@e' },
      url: 'https://pads.example/',
      availability: 'https://schema.org/SoldOut',
      description: '12 € par an',
    });
  });
});

describe('toScriptContent', () => {
  it('is the same document, without any character that means something in HTML', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant('</script><script>alert(1)</script><!-- &lt;')), (name) => {
        const text = toScriptContent({ name });
        expect(text).not.to.match(/[<>&]/);
        expect(JSON.parse(text)).to.deep.equal({ name });
      }),
    );
  });
});
