import { closeTestStores, openTestEmbedded } from '../../support/storeSupport.js';
import { describeBeyondFerret, describeContract } from './contract.js';

describe('embedded store', () => {
  after(closeTestStores);
  describeContract(openTestEmbedded);
  describeBeyondFerret(openTestEmbedded);
});
