/** The props of a text that a test writes. */
export class WrittenText {
  text = $state('');
  streaming = $state(false);

  constructor(text: string, streaming: boolean) {
    this.text = text;
    this.streaming = streaming;
  }
}
