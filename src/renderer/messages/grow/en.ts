/** Texts of the page Teach in English. */
export const en = {
  title: 'Grow',
};
