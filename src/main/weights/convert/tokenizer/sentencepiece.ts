import { PbfReader } from 'pbf';
import { damaged, maxTokens } from '../described-file.ts';
import { type TokenType, tokenTypes } from './vocabulary.ts';

/** What a SentencePiece model file holds, as far as it bears on tokens. */
export interface SentencePiece {
  pieces: { text: string; score: number; type: TokenType }[];
  algorithm: 'unigram' | 'bpe' | 'word' | 'char';
  /** −1: there is none. */
  ids: { unk: number; bos: number; eos: number; pad: number };
  /** A space is thought before the text. */
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  /** How characters are replaced before anything else; empty: not at all. */
  charsmap: Uint8Array<ArrayBuffer>;
}

/** Numbers of fields in sentencepiece_model.proto. */
const fields = {
  model: { pieces: 1, trainer: 2, normalizer: 3 },
  piece: { text: 1, score: 2, type: 3 },
  trainer: { algorithm: 3, unk: 40, bos: 41, eos: 42, pad: 43 },
  normalizer: { charsmap: 2, addDummyPrefix: 3, removeExtraWhitespaces: 4 },
} as const;
const algorithms = ['unigram', 'bpe', 'word', 'char'] as const;
const types: ReadonlySet<number> = new Set(Object.values(tokenTypes));
/** How a field's value is stored. */
const wire = { varint: 0, bytes: 2, float: 5 } as const;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a SentencePiece model. `path` is for the error: `file-damaged`. */
export function readSentencePiece(bytes: Uint8Array, path: string): SentencePiece {
  try {
    const model = readModel(bytes);
    if (model.pieces.length === 0) throw new Error('no pieces');
    return model;
  } catch (thrown) {
    throw damaged(path, 'is not a whole SentencePiece model', thrown);
  }
}

function readModel(bytes: Uint8Array): SentencePiece {
  const model: SentencePiece = {
    pieces: [],
    // The defaults of sentencepiece_model.proto.
    algorithm: 'unigram',
    ids: { unk: 0, bos: 1, eos: 2, pad: -1 },
    addDummyPrefix: true,
    removeExtraWhitespaces: true,
    charsmap: new Uint8Array(),
  };
  eachField(bytes, (field, reader) => {
    if (field === fields.model.pieces) {
      if (model.pieces.length === maxTokens) throw new Error('too many pieces');
      model.pieces.push(readPiece(bytesOf(reader)));
    } else if (field === fields.model.trainer) readTrainer(bytesOf(reader), model);
    else if (field === fields.model.normalizer) readNormalizer(bytesOf(reader), model);
  });
  return model;
}

function readPiece(bytes: Uint8Array): SentencePiece['pieces'][number] {
  const piece: SentencePiece['pieces'][number] = { text: '', score: 0, type: tokenTypes.normal };
  eachField(bytes, (field, reader) => {
    if (field === fields.piece.text) piece.text = utf8.decode(bytesOf(reader));
    else if (field === fields.piece.score) piece.score = floatOf(reader);
    else if (field === fields.piece.type) piece.type = typeOf(numberOf(reader));
  });
  return piece;
}

function typeOf(type: number): TokenType {
  if (types.has(type)) return type as TokenType;
  throw new Error(`a piece of type ${type}`);
}

function readTrainer(bytes: Uint8Array, model: SentencePiece): void {
  eachField(bytes, (field, reader) => {
    if (field === fields.trainer.algorithm) {
      const algorithm = algorithms[numberOf(reader) - 1];
      if (!algorithm) throw new Error('an unknown algorithm');
      model.algorithm = algorithm;
    } else if (field === fields.trainer.unk) model.ids.unk = numberOf(reader);
    else if (field === fields.trainer.bos) model.ids.bos = numberOf(reader);
    else if (field === fields.trainer.eos) model.ids.eos = numberOf(reader);
    else if (field === fields.trainer.pad) model.ids.pad = numberOf(reader);
  });
}

function readNormalizer(bytes: Uint8Array, model: SentencePiece): void {
  eachField(bytes, (field, reader) => {
    if (field === fields.normalizer.charsmap) model.charsmap = Uint8Array.from(bytesOf(reader));
    else if (field === fields.normalizer.addDummyPrefix) model.addDummyPrefix = numberOf(reader) !== 0;
    else if (field === fields.normalizer.removeExtraWhitespaces) {
      model.removeExtraWhitespaces = numberOf(reader) !== 0;
    }
  });
}

/** Calls back for each field of a message, which must end where its bytes do. */
function eachField(bytes: Uint8Array, use: (field: number, reader: PbfReader) => void): void {
  const reader = new PbfReader(bytes);
  reader.readFields<null>((field) => {
    use(field, reader);
    inside(reader);
  }, null);
  inside(reader);
}

/** pbf does not mind lengths that lead beyond the end. */
function inside({ pos, length }: PbfReader): void {
  if (!(pos <= length)) throw new Error('it ends too early');
}

function bytesOf(reader: PbfReader): Uint8Array {
  expectWire(reader, wire.bytes);
  const bytes = reader.readBytes();
  inside(reader);
  return bytes;
}

function numberOf(reader: PbfReader): number {
  expectWire(reader, wire.varint);
  return reader.readVarint(true);
}

function floatOf(reader: PbfReader): number {
  expectWire(reader, wire.float);
  const value = reader.readFloat();
  if (!Number.isFinite(value)) throw new Error('a score that is no number');
  return value;
}

function expectWire({ type }: PbfReader, expected: number): void {
  if (type !== expected) throw new Error(`a field stored as ${type}`);
}
