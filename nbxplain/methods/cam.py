"""Class activation maps: a layer's feature maps, weighted by what the score makes of them."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn

from nbxplain.core.errors import LayerError
from nbxplain.core.layers import Layer
from nbxplain.methods.base import Group, Method, Partial, Question, parameter

_pooled: weakref.WeakKeyDictionary[nn.Module, tuple[object, str]] = weakref.WeakKeyDictionary()
"""The layers last seen to be followed by pooling and a linear layer alone, and of which weights."""


def spatial(question: Question) -> Layer:
    """The question's layer, whose output lies on the picture. Raises LayerError."""
    layer = question.layer
    if layer is None or layer.grid is None:
        raise LayerError("A class activation map needs a layer with a spatial map.", "Choose one.")
    return layer


class GradientCAM(Method):
    """Base of the maps that need one gradient pass per input, differentiated above the layer only.

    Activations A and gradients G of the score at the layer give one map; the result has the
    layer's resolution: a layer of 7 x 7 cells gives 7 x 7 values.
    """

    group: ClassVar[Group] = "CAM"
    cost: ClassVar[int] = 1
    plain: ClassVar[bool] = True
    needs_layer: ClassVar[bool] = True

    relu: bool = parameter(True, "Keep only evidence for the class; off keeps the sign.")

    @abstractmethod
    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        """The signed map (n, h, w) of activations and gradients (n, C, h, w)."""

    def size(self, activation: Tensor, gradient: Tensor) -> Tensor:
        """How large the map (n, h, w) would be if nothing in its sums cancelled."""
        return self.weighted(activation.abs(), gradient.abs())

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the maps of the inputs done so far."""
        layer, x = spatial(question), question.tensor
        values, done, notices = x.new_zeros(len(x), 1, *(layer.grid or ())), 0, list[str]()
        for result in question.passes.gradients(
            len(x), lambda rows: x[rows], question.target.score, layer.name
        ):
            assert result.activation is not None
            activation, gradient = layer.maps(result.activation), layer.maps(result.gradient)
            signed = self.weighted(activation, gradient)
            values[result.rows, 0] = signed.relu() if self.relu else signed
            if not notices and bool(result.gradient.any()) and not bool(gradient.any()):
                notices = [_unreached(layer)]
            elif not notices and _cancelled(signed, self.size(activation, gradient)):
                notices = [_noise(layer)]
            done += len(result.rows)
            yield Partial(values.clone(), done, len(x), notices=list(notices))


def _unreached(layer: Layer) -> str:
    return (
        f"No patch of layer {layer.name!r} reaches the score, only its class token does: its map "
        "says nothing about the picture. Choose an earlier layer, such as the block before."
    )


def _cancelled(signed: Tensor, size: Tensor) -> bool:
    """Whether one of the maps (n, h, w) is rounding errors of sums of that size."""
    largest = signed.abs().amax((1, 2))
    # 6e-6 in single and 2e-12 in double precision: the errors of many steps add up.
    share = torch.finfo(size.dtype).eps ** 0.75
    return bool(((largest > 0) & (largest <= share * size.amax((1, 2)))).any())


def _noise(layer: Layer) -> str:
    return (
        f"At layer {layer.name!r} everything that this map sums cancels: what is left is rounding "
        "errors and says nothing about the picture. Choose another layer or method."
    )


class GradCAM(GradientCAM):
    """Feature maps summed with their mean gradients as weights. Selvaraju et al. 2017, eq. 1-2."""

    name: ClassVar[str] = "grad_cam"
    label: ClassVar[str] = "Grad-CAM"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient.mean((2, 3), keepdim=True) * activation).sum(1)


class GradCAMPlusPlus(GradientCAM):
    """Grad-CAM whose weights favour cells by second-order terms, for several objects of one class.

    Weight of map k: the sum over cells of relu(G) * alpha with alpha = G^2 / (2 G^2 + G^3 sum A),
    here divided by G^2. Meant for maps that are nowhere negative; for others the denominator is
    kept from vanishing. Chattopadhyay et al. 2018, eq. 5 and 19.
    """

    name: ClassVar[str] = "grad_cam_plus_plus"
    label: ClassVar[str] = "Grad-CAM++"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        sums = activation.sum((2, 3), keepdim=True)
        alpha = 1 / (2 + gradient * sums).clamp(min=1)
        weights = (alpha * gradient.relu()).sum((2, 3), keepdim=True)
        return (weights * activation).sum(1)


class LayerCAM(GradientCAM):
    """Each cell weighted by its own positive gradient: sharp at early layers. Jiang et al. 2021."""

    name: ClassVar[str] = "layer_cam"
    label: ClassVar[str] = "LayerCAM"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient.relu() * activation).sum(1)


class XGradCAM(GradientCAM):
    """Grad-CAM with gradients averaged by the share of the activation they meet. Fu et al. 2020.

    Weight of map k: sum(G A) / sum(A), and zero for a map that sums to zero.
    """

    name: ClassVar[str] = "xgrad_cam"
    label: ClassVar[str] = "XGrad-CAM"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        met = (gradient * activation).sum((2, 3), keepdim=True)
        sums = activation.sum((2, 3), keepdim=True)
        weights = torch.where(sums == 0, 0, met / torch.where(sums == 0, 1, sums))
        return (weights * activation).sum(1)


class HiResCAM(GradientCAM):
    """Activation times gradient, cell by cell: where a cell is high, the score rose with it.

    Sums to the score less its bias where everything above the layer is linear. Draelos and Carin
    2020.
    """

    name: ClassVar[str] = "hires_cam"
    label: ClassVar[str] = "HiResCAM"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        return (gradient * activation).sum(1)


class EigenCAM(GradientCAM):
    """The layer's main pattern, whatever the class: its maps on their first principal component.

    The component of the uncentred activations, as in Muhammad and Yeasin 2020, with the sign that
    makes the map's mean positive. It does not depend on the class; where the score does not depend
    on the layer at all the map is zero.
    """

    name: ClassVar[str] = "eigen_cam"
    label: ClassVar[str] = "Eigen-CAM"

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        cells = activation.flatten(2).transpose(1, 2)
        left, size, _ = torch.linalg.svd(cells, full_matrices=False)
        component = left[..., 0] * size[:, :1]
        sign = torch.where(component.mean(1, keepdim=True) < 0, -1, 1)
        seen = gradient.flatten(1).any(1, keepdim=True)
        values: Tensor = component * sign * seen
        return values.view(-1, *activation.shape[2:])

    def size(self, activation: Tensor, gradient: Tensor) -> Tensor:
        return activation.abs().amax(1)


class CAM(GradientCAM):
    """Feature maps weighted by the linear layer that follows their global average pooling.

    The mean of the map over its cells is the score less the bias. Only for networks that end so:
    it is checked. Zhou et al. 2016, eq. 2.
    """

    name: ClassVar[str] = "cam"
    label: ClassVar[str] = "CAM"

    relu: bool = parameter(False, "Keep only evidence for the class; off keeps the sign.")

    def run(self, question: Question) -> Iterator[Partial]:
        """Yields the maps of the inputs done so far, after a look at what is above the layer."""
        _check_head(question)
        yield from super().run(question)

    def weighted(self, activation: Tensor, gradient: Tensor) -> Tensor:
        # The derivative by the pooled feature: a mean of h * w cells passes 1 / (h * w) to each.
        return (gradient.sum((2, 3), keepdim=True) * activation).sum(1)


def _check_head(question: Question) -> None:
    """Raises LayerError unless the layer is followed by global average pooling and a linear layer.

    Then, and only then, the gradient is the same in all cells and for all inputs: looked at for
    the first picture, its half, its negative and nothing, once as long as the model stays the same.
    """
    layer, x = spatial(question), question.tensor[:1]
    model, state = question.adapter.model, (question.adapter.version, layer.name)
    if _pooled.get(model) == state:
        return
    factors = x.new_tensor([1.0, 0.5, 0.0, -1.0])

    def build(rows: Tensor) -> Tensor:
        return x * factors[rows].view(-1, 1, 1, 1)

    passes = question.passes.gradients(
        len(factors),
        build,
        lambda output, rows: question.target.score(output, torch.zeros_like(rows)),
        layer.name,
    )
    gradients = torch.cat([layer.maps(result.gradient) for result in passes])
    same = gradients[:1].mean((2, 3), keepdim=True)
    if bool(((gradients - same).abs() > 1e-4 * same.abs().max()).any()):
        raise LayerError(
            f"CAM needs global average pooling and one linear layer right after {layer.name!r}.",
            "Choose the last layer before the pooling, or use Grad-CAM, which needs neither.",
        )
    _pooled[model] = state


__all__ = [
    "CAM",
    "EigenCAM",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientCAM",
    "HiResCAM",
    "LayerCAM",
    "XGradCAM",
    "spatial",
]
