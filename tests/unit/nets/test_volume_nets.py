"""Nets over volumes: their sizes are those of the papers, any shape goes through, and rows do not see each other."""

import itertools

import pytest
import torch

from triptych.nets.conv5fc3 import Conv5FC3
from triptych.nets.norms import _Grouped, norm
from triptych.nets.resnet3d import ResNet3D
from triptych.nets.saliency import gradient, occlusion
from triptych.nets.stems import Stem
from triptych.nets.vit3d import ViT3D

SMALL = {
    "conv5fc3": lambda shape: Conv5FC3(shape, (4, 8), (16,)),
    "conv5fc3 batch": lambda shape: Conv5FC3(shape, (4, 8), (16,), normalise="batch"),
    "resnet3d": lambda shape: ResNet3D((1, 1), 4, dropout=0.2),
    "vit3d": lambda shape: ViT3D(shape, patch=4, width=16, depth=2, heads=2),
}


def weights(net):
    return sum(p.numel() for p in net.parameters())


def test_conv5_fc3_has_the_weights_of_the_paper():
    """42.3 million at 169 x 208 x 179, counted by hand: five convolutions, five normalisations, three dense layers."""
    with torch.device("meta"):
        net = Conv5FC3((169, 208, 179))
    sizes = [1, 8, 16, 32, 64, 128]
    features = sum(27 * a * b + b + 2 * b for a, b in itertools.pairwise(sizes))
    dense = (128 * 6 * 7 * 6 + 1) * 1300 + (1300 + 1) * 50 + 51
    assert weights(net) == features + dense
    assert round(weights(net) / 1e6, 1) == 42.3


def test_resnet_has_the_weights_of_resnet_18():
    """33.2 million in three dimensions: kernels of 27 in place of 9, a first one of 343 for one channel, one output."""
    with torch.device("meta"):
        net = ResNet3D()
    wide = [64, 128, 256, 512]
    stem = 343 * 64 + 2 * 64
    stages = 4 * (27 * 64 * 64 + 2 * 64)
    for a, b in itertools.pairwise(wide):
        stages += 27 * a * b + 3 * 27 * b * b + a * b + 5 * 2 * b
    assert weights(net) == stem + stages + 513
    biases = 128 + 256 + 512  # of shortcuts; the normalisation behind them takes them out again
    assert weights(net) + biases == 33_161_409, "MONAI 1.6.1, resnet18 for one channel and one class"


@pytest.mark.parametrize("shape", [(16, 17, 18), (9, 12, 7), (5, 5, 33)])
@pytest.mark.parametrize("name", SMALL)
def test_any_shape_goes_through(name, shape):
    assert SMALL[name](shape)(torch.zeros(3, 1, *shape)).shape == (3,)


@pytest.mark.parametrize("name", SMALL)
def test_rows_are_apart_and_every_weight_learns(name):
    torch.manual_seed(0)
    net, x = SMALL[name]((9, 10, 11)), torch.randn(4, 1, 9, 10, 11)
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters() if p.numel() > 1)
    net.eval()
    together = net(x)
    assert together.std() > 0
    torch.testing.assert_close(torch.cat([net(one[None]) for one in x]), together, rtol=1e-4, atol=1e-4)


def test_the_far_ends_are_seen_by_the_transformer():
    torch.manual_seed(0)
    net = ViT3D((9, 8, 8), patch=4, width=16, depth=1, heads=2)
    x = torch.zeros(1, 1, 9, 8, 8)
    x[..., 8, :, :] = 1
    assert not torch.allclose(net(x), net(torch.zeros_like(x)))


@pytest.mark.parametrize(("name", "channels"), [("group", 8), ("group", 6), ("batch", 6)])
def test_normalised_channels_have_mean_0_and_variance_1(name, channels):
    x = 3 + 2 * torch.randn(5, channels, 6, 6, 6)
    found = norm(name, channels).train()(x)
    axes = (0, 2, 3, 4) if name == "batch" else (1, 2, 3, 4)
    assert found.mean(dim=axes).abs().max() < 1e-4
    torch.testing.assert_close(
        found.var(dim=axes, unbiased=False), torch.ones_like(found.mean(dim=axes)), rtol=1e-3, atol=1e-3
    )


def test_the_gradient_of_a_linear_net_is_its_weights():
    weight = torch.randn(4, 5, 6)

    class Linear(torch.nn.Module):
        def forward(self, x):
            return (x[:, 0] * weight).sum(dim=(1, 2, 3))

    torch.testing.assert_close(gradient(Linear(), torch.randn(1, 1, 4, 5, 6), 3, 0), weight)


def test_occlusion_of_a_linear_net_is_what_a_cube_adds():
    """Cubes of 3 in 4 x 5 x 6: those at the ends are smaller; one that holds no voxel of use is not tried."""
    weight, x, fill = torch.randn(4, 5, 6), torch.randn(1, 1, 4, 5, 6), torch.randn(4, 5, 6)
    able = torch.rand(4, 5, 6) > 0.3
    able[:3, :3, :3] = False
    tried = []

    class Linear(torch.nn.Module):
        def forward(self, x):
            tried.append(len(x))
            return (x[:, 0] * weight).sum(dim=(1, 2, 3))

    found = occlusion(Linear(), x, fill, 3, able)
    added = (fill - x[0, 0]) * weight
    expected = torch.zeros(4, 5, 6)
    for a, b, c in itertools.product((0, 3), (0, 3), (0, 3)):
        cube = (slice(a, a + 3), slice(b, b + 3), slice(c, c + 3))
        expected[cube] = added[cube].sum()
    torch.testing.assert_close(found, expected * able)
    assert tried == [1, 7], "as it is, and with each of the cubes of use replaced, together"


def test_the_gradient_is_a_function_of_its_seed():
    torch.manual_seed(0)
    net, x = SMALL["resnet3d"]((9, 9, 9)).eval(), torch.randn(1, 1, 9, 9, 9)
    one, again, other = (gradient(net, x, 2, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


# ---- what runs on GPUs is the same ---------------------------------------------------------------


def slopes(call, x, parameters):
    """Output, and slopes of its sum (weighted, so that nothing cancels) with respect to the input and the parameters."""
    x = x.clone().requires_grad_()
    found = call(x)
    total = (found * torch.arange(found.numel()).sin().view_as(found)).sum()
    return found.detach(), *torch.autograd.grad(total, [x, *parameters])


@pytest.mark.parametrize(("size", "stride", "bias"), [(3, 1, True), (7, 2, False), (7, 1, True)])
@pytest.mark.parametrize("shape", [(12, 14, 10), (9, 8, 11)])
def test_a_stem_by_slices_is_the_convolution(size, stride, bias, shape):
    torch.manual_seed(0)
    stem = Stem(8, size, stride=stride, bias=bias).double()
    x = torch.randn(2, 1, *shape, dtype=torch.float64)
    for one, other in zip(*(slopes(call, x, stem.parameters()) for call in (stem, stem.by_slices)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("channels", [8, 3])
def test_group_normalisation_by_sums_is_that_of_torch(channels):
    torch.manual_seed(0)
    layer = norm("group", channels)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = 3 + 2 * torch.randn(5, channels, 6, 7, 8)
    by_sums = lambda x: _Grouped.apply(x, layer.weight, layer.bias, layer.num_groups, layer.eps)  # noqa: E731
    for one, other in zip(*(slopes(call, x, layer.parameters()) for call in (layer, by_sums)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
