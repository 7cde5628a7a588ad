"""Right programs in the styles that people write, and how each is verified."""

from __future__ import annotations

from pathlib import Path

from handwritten_programs import Entry

from symrnn.verify import Report
from symrnn.verify.handwritten.process import verify_file

FOLDER = Path(__file__).parent / "programs" / "wild"

WILD = {
    "adam_step": Entry("train_step"),
    "attention": Entry("forward", "backward"),
    "batch_average": Entry("loss_and_grads", target="CharModel"),
    "bidirectional": Entry("birnn_forward", "birnn_backward"),
    "char_lstm": Entry("forward_backward"),
    "clipped_sigmoid": Entry("forward", "backward"),
    "closure_rnn": Entry("rnn"),
    "course_step": Entry("rnn_forward", "rnn_backward"),
    "cumulative": Entry("forward", "backward"),
    "dataclass_lstm": Entry("forward", "backward"),
    "einsum_gru": Entry("gru", "gru_grad"),
    "encoder_decoder": Entry("seq2seq_loss", "seq2seq_grads"),
    "float32_rnn": Entry("forward", "backward"),
    "global_lstm": Entry("lstm_loss"),
    "gru_bias_row": Entry("GRU.forward", "GRU.backward"),
    "inplace_rnn": Entry("forward", "backward"),
    "jordan": Entry("forward", "backward"),
    "keyword_rnn": Entry("rnn_forward", "rnn_backward"),
    "layernorm_rnn": Entry("lnrnn_forward", "lnrnn_backward"),
    "lstm_nodes": Entry("run"),
    "masked": Entry("run_forward", "run_backward"),
    "minimal_gru": Entry("forward", "backward"),
    "peephole_tuple": Entry("forward", "backward"),
    "plain_lists": Entry("forward", "backward"),
    "relu_masks": Entry("relu_forward", "relu_backward"),
    "rnnlm_layers": Entry(target="SimpleRnnlm"),
    "scipy_lstm": Entry("forward", "backward"),
    "stable_sigmoid": Entry("loss", target="Captioner"),
    "stacked": Entry(target="DeepRNN"),
    "tensordot_rnn": Entry("forward", "backward"),
    "time_last": Entry("sequence_forward", "sequence_backward"),
    "training_class": Entry("forward", "backprop", "RNN"),
    "truncating": Entry("sentence_loss", "bptt", "RNNNumpy"),
}


def wild_verdict(name: str, path: Path | None = None, *, args: Path | None = None, in_process: bool = True) -> Report:
    """Verify one of these programs, or an edited copy of it."""
    entry = WILD[name]
    file = str(path or FOLDER / f"{name}.py") + (f"::{entry.target}" if entry.target else "")
    return verify_file(file, forward=entry.forward, backward=entry.backward, args=str(args or FOLDER / f"{name}.toml"), in_process=in_process)
