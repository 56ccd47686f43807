import { MongoClient } from 'mongodb';
import { closeTestStores, openTestEmbedded, openTestMongo } from '../../support/storeSupport.js';
import { describeBeyondFerret, describeContract } from './contract.js';
import { describeDifferences } from './differential.js';

describe('mongodb store', () => {
  const address = process.env.TEST_MONGODB_URI;
  if (address === undefined) {
    it.skip('was not run: TEST_MONGODB_URI is not set');
    return;
  }
  after(closeTestStores);
  describeContract(openTestMongo);
  describeDifferences(openTestEmbedded, openTestMongo);

  describe('where the server is not FerretDB 1.x', () => {
    before(async function () {
      const client = await new MongoClient(address).connect();
      const about = await client.db().admin().command({ buildInfo: 1 });
      await client.close();
      if ('ferretdbVersion' in about) this.skip();
    });
    describeBeyondFerret(openTestMongo);
  });
});
