/**
 * What an adapter's refusal for its base advises. A reply keeps of its failure only the sentences, so that this one is what
 * the page knows it by, to offer just that.
 */
export const anyBaseAdvice = 'Choose that model, or allow the adapter on others';
