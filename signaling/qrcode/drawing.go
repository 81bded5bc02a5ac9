package qrcode

import (
	"bytes"
	"fmt"

	"rsc.io/qr"
)

// quietZone is what has to be free around a code, in modules (ISO/IEC 18004 section 9.1):
// scanners find the code by it, on dark pages too.
const quietZone = 4

// modulePixels is how large a module is where nobody says how large the drawing is to be.
const modulePixels = 8

// draw returns a text as an SVG: dark on white, since not all scanners read the reverse,
// and one path, which stays crisp at any size. Of level M: a scanner that misses up to
// 15 % of it, behind a reflection say, has the text yet.
func draw(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, err
	}
	side := code.Size + 2*quietZone
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%[3]d" shape-rendering="crispEdges">`,
		side, side, side*modulePixels)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%[1]dH0z"/><path stroke="#000" d="`, side)
	for y := range code.Size {
		writeRow(&b, code, y)
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// writeRow draws a row of modules as one line with gaps, as thick as a module.
func writeRow(b *bytes.Buffer, code *qr.Code, y int) {
	fmt.Fprintf(b, "M%d %d.5", quietZone, quietZone+y)
	for x := 0; x < code.Size; {
		from := x
		for dark := code.Black(x, y); x < code.Size && code.Black(x, y) == dark; {
			x++
		}
		switch {
		case code.Black(from, y):
			fmt.Fprintf(b, "h%d", x-from)
		case x < code.Size:
			fmt.Fprintf(b, "m%d 0", x-from)
		}
	}
}
