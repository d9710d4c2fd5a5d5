import { z } from 'zod';
import { share } from './fields.ts';

export const compare = z.strictObject({
  min_coverage: share.optional().describe('minimum share of the keys of each side that are in both'),
  max_mean_change: share.optional().describe('maximum difference of the mean scores'),
  max_score_change: share.optional().describe('maximum difference of the two scores of a key'),
  min_top_decile_overlap: share.optional().describe('minimum share of the riskiest tenth that is the same'),
  min_rank_correlation: z.number().min(-1).max(1).optional().describe("minimum Spearman correlation of the two sides' ranks"),
  max_band_moves: share.optional().describe('maximum share of keys whose band differs'),
  max_psi: z
    .number()
    .positive()
    .optional()
    .describe('maximum drift (PSI) of the scores of the second side from those of the first'),
  max_auc_drop: share
    .optional()
    .describe('maximum loss of AUC where outcomes are known, by the lower bound of the 95 % interval of the difference'),
});
