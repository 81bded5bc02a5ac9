package picture

import "image"

// shrink returns m, or a smaller picture of the same shape no side of which is longer
// than side.
func shrink(m *image.YCbCr, side int) *image.YCbCr {
	width, height := fit(m.Rect.Dx(), m.Rect.Dy(), side)
	if width == m.Rect.Dx() && height == m.Rect.Dy() {
		return m
	}
	small := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	from := half(m.Rect.Size())
	to := half(small.Rect.Size())
	average(plane{small.Y, small.YStride, small.Rect.Size()}, plane{m.Y, m.YStride, m.Rect.Size()})
	average(plane{small.Cb, small.CStride, to}, plane{m.Cb, m.CStride, from})
	average(plane{small.Cr, small.CStride, to}, plane{m.Cr, m.CStride, from})
	return small
}

// half is the size of the planes of colour of a picture: VP8 knows 4:2:0 only.
func half(size image.Point) image.Point {
	return image.Point{X: (size.X + 1) / 2, Y: (size.Y + 1) / 2}
}

// fit returns the largest size of that shape no side of which is longer than side, and
// that is not larger.
func fit(width, height, side int) (w, h int) {
	longer := max(width, height)
	if longer <= side {
		return width, height
	}
	return max(1, (width*side+longer/2)/longer), max(1, (height*side+longer/2)/longer)
}

// plane is one of the three parts of a picture.
type plane struct {
	pixels []byte
	stride int
	size   image.Point
}

// average fills a plane: each of its pixels is the mean of those that lie in its place
// in from, which is not smaller. Each row of those is read once, as it lies in memory.
func average(to, from plane) {
	left := make([]int, to.size.X+1) // where the pixels of a row begin
	for x := range left {
		left[x] = x * from.size.X / to.size.X
	}
	sums := make([]uint32, to.size.X) // at most 255 x the pixels of one place, of which there are less than 2^23
	for y := range to.size.Y {
		top, bottom := y*from.size.Y/to.size.Y, (y+1)*from.size.Y/to.size.Y
		clear(sums)
		for row := top; row < bottom; row++ {
			line := from.pixels[row*from.stride:][:from.size.X]
			for x := range sums {
				sum := uint32(0)
				for _, v := range line[left[x]:left[x+1]] {
					sum += uint32(v)
				}
				sums[x] += sum
			}
		}
		line := to.pixels[y*to.stride:][:to.size.X]
		for x := range line {
			n := uint32((bottom - top) * (left[x+1] - left[x]))
			line[x] = byte((sums[x] + n/2) / n)
		}
	}
}
