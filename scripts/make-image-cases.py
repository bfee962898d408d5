#!/usr/bin/env python3
"""Writes Tests/FXConformanceTests/Cases/images: small images in the encodings that ImageDecoder reads.

FORMAT_KIND.EXTENSION is an image and the file of the same name ending in .rgb its pixels as Pillow decodes them: width and
height as 32-bit little-endian integers, then three bytes a pixel. Needs numpy and Pillow (made with 13.0). Run it from the
package's root.
"""
import io
import pathlib
import shutil
import struct

import numpy as np
from PIL import Image

ROOT = pathlib.Path("Tests/FXConformanceTests/Cases/images")


def write(name: str, data: bytes, pixels: np.ndarray) -> None:
    height, width, channels = pixels.shape
    assert channels == 3 and pixels.dtype == np.uint8
    (ROOT / name).write_bytes(data)
    (ROOT / name).with_suffix(".rgb").write_bytes(struct.pack("<II", width, height) + pixels.tobytes())


def add(name: str, image: Image.Image, form: str, **options) -> None:
    file = io.BytesIO()
    image.save(file, form, **options)
    decoded = Image.open(io.BytesIO(file.getvalue()))
    # Pillow's own conversion would weigh colours by alpha; the operator has three channels and drops it.
    pixels = np.array(decoded)[..., :3] if decoded.mode == "RGBA" else np.array(decoded.convert("RGB"))
    write(name, file.getvalue(), pixels)


def netpbm(name: str, text: bytes) -> None:
    write(name, text, np.array(Image.open(io.BytesIO(text)).convert("RGB")))


def bitmap_runs(name: str, bits: int, rows: list[bytes], width: int, palette: list[tuple[int, int, int]]) -> None:
    """A bitmap in runs, which Pillow reads and does not write."""
    data = b"".join(rows) + b"\0\1"
    colours = b"".join(bytes((b, g, r, 0)) for r, g, b in palette)
    start = 54 + len(colours)
    header = struct.pack("<IiiHHIIiiII", 40, width, len(rows), 1, bits, 1 if bits == 8 else 2, len(data), 0, 0, len(palette), 0)
    file = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + colours + data
    write(name, file, np.array(Image.open(io.BytesIO(file)).convert("RGB")))


def bitmap_of_16_bits(name: str, pixels: np.ndarray) -> None:
    height, width, _ = pixels.shape
    values = ((pixels[..., 0] >> 3).astype(np.uint16) << 10) | ((pixels[..., 1] >> 3).astype(np.uint16) << 5) | (pixels[..., 2] >> 3)
    rows = b"".join(row.tobytes() + b"\0" * (-2 * width % 4) for row in values[::-1].astype("<u2"))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 16, 0, len(rows), 0, 0, 0, 0)
    file = b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + header + rows
    write(name, file, np.array(Image.open(io.BytesIO(file)).convert("RGB")))


def main() -> None:
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    y, x = np.mgrid[0:13, 0:21]
    pixels = np.stack([(x * 12) % 256, (y * 19) % 256, (x * y * 3) % 256], -1).astype(np.uint8)
    colour = Image.fromarray(pixels)
    alpha = Image.fromarray(np.concatenate([pixels, ((x + y) * 7).astype(np.uint8)[..., None]], -1))
    grey, palette, bits = colour.convert("L"), colour.quantize(11), colour.convert("1")
    for extension, form in (("jpg", "JPEG"), ("png", "PNG"), ("tiff", "TIFF"), ("webp", "WEBP"), ("jp2", "JPEG2000"),
                            ("bmp", "BMP"), ("ppm", "PPM")):
        add(f"{form.lower()}_colour.{extension}", colour, form)
        if form != "WEBP":
            add(f"{form.lower()}_grey.{extension}", grey, form)
        if form in ("PNG", "WEBP", "JPEG2000", "BMP"):
            add(f"{form.lower()}_alpha.{extension}", alpha, form)
        if form in ("PNG", "TIFF", "BMP"):
            add(f"{form.lower()}_palette.{extension}", palette, form)
        if form in ("PNG", "TIFF", "BMP", "PPM"):
            add(f"{form.lower()}_bits.{extension}", bits, form)
    add("jpeg_progressive.jpg", colour, "JPEG", progressive=True)
    add("jpeg_coarse.jpg", colour, "JPEG", quality=20)
    for subsampling, name in ((0, "444"), (1, "422")):
        add(f"jpeg_{name}.jpg", colour, "JPEG", subsampling=subsampling)
    add("webp_lossless.webp", colour, "WEBP", lossless=True)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        add(f"tiff_{compression.removeprefix('tiff_')}.tiff", colour, "TIFF", compression=compression)
    add("jpeg2000_lossy.jp2", colour, "JPEG2000", irreversible=True, quality_mode="dB", quality_layers=[40])
    add("jpeg2000_stream.j2k", colour, "JPEG2000", no_jp2=True)
    add("jpeg2000_tiles.jp2", colour, "JPEG2000", tile_size=(8, 8))
    netpbm("pnm_p1.pbm", b"P1\n# rows\n3 2\n101\n0 1 0\n")
    netpbm("pnm_p2.pgm", b"P2 3 2 # size\n15\n0 5 15\n 1 2 3\n")
    netpbm("pnm_p3.ppm", b"P3\n2 1\n255\n1 2 3 250 251 252\n")
    netpbm("pnm_p6_deep.ppm", b"P6 2 1 1023\n" + struct.pack(">6H", 0, 100, 1023, 512, 3, 700))
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)]
    bitmap_runs("bmp_runs8.bmp", 8, [b"\3\1\2\2\0\0", b"\0\5\0\1\2\3\0\0\0\0"], 5, colours)
    bitmap_runs("bmp_runs4.bmp", 4, [b"\5\x12\0\0", b"\0\5\x01\x23\x10\0\0\0"], 5, colours)
    bitmap_of_16_bits("bmp_555.bmp", pixels)
    print(f"{len(list(ROOT.glob('*.rgb')))} images in {ROOT}")


if __name__ == "__main__":
    main()
