import { PbfWriter } from 'pbf';

/** What a tokenizer's file says of tokens. */
export type Tokens = Readonly<Record<'pieces', readonly string[]> & Record<'types', readonly number[]>>;

/** Numbers of fields in sentencepiece_model.proto, and what they say of a tokenizer that joins pairs. */
const fields = {
  model: { piece: 1, trainer: 2, normalizer: 3 },
  piece: { text: 1, score: 2, type: 3 },
  trainer: { algorithm: 3, unknown: 40, begin: 41, end: 42, padding: 43 },
  normalizer: { addDummyPrefix: 3, removeExtraWhitespaces: 4 },
} as const;
const bpe = 2;
const none = -1;

/** The vocabulary as a SentencePiece model, which is what folders of Hugging Face hold (tokenizer.model). */
export function sentencePieceModel({ pieces, types }: Tokens): Uint8Array {
  const pbf = new PbfWriter();
  pieces.forEach((text, index) => {
    pbf.writeMessage(
      fields.model.piece,
      (piece: string, writer: PbfWriter) => {
        writer.writeStringField(fields.piece.text, piece);
        writer.writeFloatField(fields.piece.score, -index);
        writer.writeVarintField(fields.piece.type, types[index] ?? 1);
      },
      text,
    );
  });
  pbf.writeMessage(
    fields.model.trainer,
    (_: null, writer: PbfWriter) => {
      writer.writeVarintField(fields.trainer.algorithm, bpe);
      writer.writeVarintField(fields.trainer.unknown, 0);
      writer.writeVarintField(fields.trainer.begin, 1);
      writer.writeVarintField(fields.trainer.end, 2);
      writer.writeVarintField(fields.trainer.padding, none);
    },
    null,
  );
  pbf.writeMessage(
    fields.model.normalizer,
    (_: null, writer: PbfWriter) => {
      writer.writeBooleanField(fields.normalizer.addDummyPrefix, false);
      writer.writeBooleanField(fields.normalizer.removeExtraWhitespaces, false);
    },
    null,
  );
  return pbf.finish();
}
