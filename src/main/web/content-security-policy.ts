/**
 * What a page of Puna may do, in both shells: run, show and reach what Puna itself serves, nothing else. Model output is
 * untrusted; should markup of its ever get past the sanitizer, it finds no script to run, no image to call home with and
 * no form to send. Each line that gives more than `'self'` says who needs it.
 */
const directives: Record<string, string> = {
  'default-src': "'none'",
  'script-src': "'self'",
  // KaTeX positions formulas and shiki colours code with style attributes.
  'style-src': "'self' 'unsafe-inline'",
  // data: icons inlined by the build; blob: pictures that the page itself made.
  'img-src': "'self' data: blob:",
  'font-src': "'self'",
  // The WebSocket of the browser shell counts as 'self'.
  'connect-src': "'self'",
  // pdf.js reads PDF files in a worker.
  'worker-src': "'self' blob:",
  'manifest-src': "'self'",
  'object-src': "'none'",
  'frame-src': "'none'",
  'frame-ancestors': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
};

export const contentSecurityPolicy = Object.entries(directives)
  .map(([name, sources]) => `${name} ${sources}`)
  .join('; ');
