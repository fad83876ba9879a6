import { initial } from './0001-initial.ts';
import { trainingRuns } from './0002-training-runs.ts';
import { weightsJobs } from './0003-weights-jobs.ts';
import { datasets } from './0004-datasets.ts';
import { samplesAndPairs } from './0005-samples-and-pairs.ts';
import { library } from './0006-library.ts';
import { downloads } from './0007-downloads.ts';
import { servers } from './0008-servers.ts';
import { brokenModels } from './0009-broken-models.ts';
import { errorCodes } from './0010-error-codes.ts';
import { serverPlaces } from './0011-server-places.ts';

/** SQL that brings a database from version n (its place in the list) to n + 1. What has been released is never changed. */
export const migrations: readonly string[] = [
  initial,
  trainingRuns,
  weightsJobs,
  datasets,
  samplesAndPairs,
  library,
  downloads,
  servers,
  brokenModels,
  errorCodes,
  serverPlaces,
];
