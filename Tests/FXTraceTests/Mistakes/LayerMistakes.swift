import FXCore
import FXTrace

/// Layers made for other inputs.
extension Mistake {
  static var layers: [Mistake] {
    [
      .tracing(
        "linear(f32[2, 3], f32[8, 4], f32[8]): the last dimension of x is 3, the weight's number of columns is "
          + "4: they must be equal; a layer of 3 input features fits",
        at: #line + 2
      ) { t in
        Linear(4, 8)(t.a)
      },
      .tracing(
        "linear(f32[n, 3, 32, 32], f32[10, 3072], f32[10]): the last dimension of x is 32, the weight's number "
          + "of columns is 3072: they must be equal; flatten the input first: flatten(x) is [n, 3072]",
        at: #line + 2
      ) { t in
        Linear(3 * 32 * 32, 10)(t.image)
      },
      .tracing(
        "conv(f32[n, 3, 32, 32], f32[8, 1, 3, 3], f32[8]): the number of channels is 3, what the weights take is "
          + "1: they must be equal",
        at: #line + 2
      ) { t in
        Conv2d(1, 8, kernel: 3)(t.image)
      },
      .tracing(
        "conv(f32[n, 3, 32, 32], f32[8, 32, 3, 3], f32[8]): the number of channels is 3, what the weights take is "
          + "32: they must be equal; channels come second: permute(x, 0, 3, 1, 2) puts them there",
        at: #line + 2
      ) { t in
        Conv2d(32, 8, kernel: 3)(t.image)
      },
      .tracing(
        "Conv2d(f32[batch, time, 8]): the rank is 3, expected 4: batch, channels and 2 more; unsqueeze(x, axes: "
          + "[0]) makes a batch of one",
        at: #line + 2
      ) { t in
        Conv2d(3, 8, kernel: 3)(t.sequence)
      },
      .tracing(
        "conv(f32[n, 3, 32, 32], f32[8, 3, 40, 40], f32[8]): a window of extent 40 does not fit the padded size "
          + "32 of spatial axis 0",
        at: #line + 2
      ) { t in
        Conv2d(3, 8, kernel: 40)(t.image)
      },
      .tracing(
        "Conv2d(f32[n, 3, 32, 32]): 3 channels to 4 cannot be divided into 2 groups: both must be multiples",
        at: #line + 2
      ) { t in
        Conv2d(3, 4, kernel: 3, groups: 2)(t.image)
      },
      .tracing(
        "conv_transpose(f32[n, 3, 32, 32], f32[4, 8, 2, 2], f32[8]): the number of channels is 3, what the "
          + "weights take is 4: they must be equal",
        at: #line + 2
      ) { t in
        ConvTranspose2d(4, 8, kernel: 2)(t.image)
      },
      .tracing(
        "max_pool(f32[n, 3, 32, 32]): a window of extent 64 does not fit the padded size 32 of spatial axis 0",
        at: #line + 2
      ) { t in
        MaxPool2d(kernel: 64)(t.image)
      },
      .tracing(
        "BatchNorm2d(f32[n, 3, 32, 32]): the tensor has 3 channels, the layer 64",
        at: #line + 2
      ) { t in
        BatchNorm2d(64)(t.image)
      },
      .tracing(
        "BatchNorm2d(f32[2, 3]): the rank is 2, expected 4: batch, channels and 2 more",
        at: #line + 2
      ) { t in
        BatchNorm2d(3)(t.a)
      },
      .tracing(
        "layer_normalization(f32[batch, time, 8], f32[16], f32[16]): shapes [16] and [batch, time, 8] do not "
          + "broadcast; axis -1 is 16 and 8: sizes must be equal, or one of them 1",
        at: #line + 2
      ) { t in
        LayerNorm(16)(t.sequence)
      },
      .tracing(
        "group_normalization(f32[n, 3, 32, 32], f32[3], f32[3]): attribute 'num_groups' is 2, which does not "
          + "divide 3 channels",
        at: #line + 2
      ) { t in
        GroupNorm(groups: 2, 3)(t.image)
      },
      .tracing(
        "gather(f32[10, 4], f32[2, 3]): operand 1 holds f32, allowed are i64, i32; convert it with cast(to: "
          + ".int64)",
        at: #line + 2
      ) { t in
        Embedding(count: 10, size: 4)(t.a)
      },
      .tracing(
        "MultiheadAttention(f32[batch, time, 8]): the embedding of 8 cannot be divided among 3 heads",
        at: #line + 2
      ) { t in
        MultiheadAttention(8, heads: 3)(t.sequence)
      },
      .tracing(
        "linear(f32[batch, time, 8], f32[48, 16], f32[48]): the last dimension of x is 8, the weight's number of "
          + "columns is 16: they must be equal; a layer of 8 input features fits",
        at: #line + 2
      ) { t in
        MultiheadAttention(16, heads: 2)(t.sequence)
      },
      .tracing(
        "LSTMLayer(f32[batch, time, 8]): the sequence has 8 features, the layer takes 4",
        at: #line + 2
      ) { t in
        LSTMLayer(4, 16)(t.sequence)
      },
      .tracing(
        "gru(f32[2, 3], f32[1, 48, 3], f32[1, 48, 16], f32[1, 96]): operand 0 has rank 2, expected 3; sequences "
          + "are [time, batch, features]: unsqueeze(x, axes: [1]) makes a batch of one",
        at: #line + 2
      ) { t in
        GRULayer(3, 16)(t.a)
      },
      .tracing(
        "AdaptiveAvgPool2d(f32[batch, time, 8]): the rank is 3, expected 4: batch, channels and 2 more; "
          + "unsqueeze(x, axes: [0]) makes a batch of one",
        at: #line + 2
      ) { t in
        AdaptiveAvgPool2d(7)(t.sequence)
      },
      .tracing(
        "linear(f32[batch, time, 8], f32[96, 32], f32[96]): the last dimension of x is 8, the weight's number of "
          + "columns is 32: they must be equal; a layer of 8 input features fits",
        at: #line + 2
      ) { t in
        TransformerEncoderLayer(32, heads: 4)(t.sequence)
      },
      .tracing(
        "prelu(f32[n, 3, 32, 32], f32[5, 1, 1]): shapes [5, 1, 1] and [n, 3, 32, 32] do not broadcast; axis -3 "
          + "is 5 and 3: sizes must be equal, or one of them 1",
        at: #line + 2
      ) { t in
        PReLU(count: 5)(t.image)
      },
      .tracing(
        "ConvTranspose2d(f32[n, 3, 32, 32]): 3 channels to 4 cannot be divided into 3 groups: both must be "
          + "multiples",
        at: #line + 2
      ) { t in
        ConvTranspose2d(3, 4, kernel: 2, groups: 3)(t.image)
      },
      .tracing(
        "InstanceNorm2d(f32[batch, time, 8]): the rank is 3, expected 4: batch, channels and 2 more; unsqueeze(x, "
          + "axes: [0]) makes a batch of one",
        at: #line + 2
      ) { t in
        InstanceNorm2d(3)(t.sequence)
      },
      .tracing(
        "LayerNorm(f32[2, 3]): the shape that is normalized is [], it must have an axis",
        at: #line + 2
      ) { t in
        LayerNorm([])(t.a)
      },
      .tracing(
        "RMSNorm(f32[2, 3]): the shape that is normalized is [], it must have an axis",
        at: #line + 2
      ) { t in
        RMSNorm([])(t.a)
      },
      .tracing(
        "LSTMLayer(f32[batch, time, 8]): the number of layers is 0, it must be positive",
        at: #line + 2
      ) { t in
        LSTMLayer(8, 16, layers: 0)(t.sequence)
      },
      .tracing(
        "GRULayer(f32[batch, time, 8]): the number of layers is -1, it must be positive",
        at: #line + 2
      ) { t in
        GRULayer(8, 16, layers: -1)(t.sequence)
      },
      .tracing(
        "interpolate(f32[*]): the rank must be known",
        at: #line + 2
      ) { t in
        Upsample(scale: 2)(t.open)
      },
    ]
  }
}
