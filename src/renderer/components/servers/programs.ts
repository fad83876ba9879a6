/** Programs that speak OpenAI's API, and where each listens on its own computer unless it was told otherwise. */
export const programs = [
  { name: 'Ollama', address: 'http://127.0.0.1:11434/v1' },
  { name: 'llama-server', address: 'http://127.0.0.1:8080/v1' },
  { name: 'vLLM', address: 'http://127.0.0.1:8000/v1' },
  { name: 'LM Studio', address: 'http://127.0.0.1:1234/v1' },
] as const;
