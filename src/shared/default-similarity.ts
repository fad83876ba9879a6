/**
 * From which similarity (ROUGE-L) on a question is left out, unless the person chooses otherwise. New tasks should differ, so that
 * they have the paper's; "When was the bridge built?" and "When was the tower built?" are alike by 0.8 and ask for two things
 * all the same, so that questions about given texts and topics may be more alike.
 */
export const defaultSimilarity = { 'self-instruct': 0.7, 'self-chat': 0.9, pairs: 0.9 };
