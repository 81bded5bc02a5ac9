package main

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is read in one go stays short. A bound that is reached says that something
// has come to be about two things: part them, in files, functions or packages, by
// what they are about, and never to meet the number. maxLines bounds each file.
const (
	mostFileP90     = 260 // lines of nine files in ten
	mostFunction    = 65  // lines of any function
	mostFunctionP99 = 50
	mostPackage     = 4000
	leastTests      = 1.0 // lines of tests for each line of code
)

// mostOf is the bound of packages that may have more than mostPackage lines.
var mostOf = map[string]int{
	"sfu/codec": 6000, // many small parts that need no wall between them
}

// sized is something that has a number of lines.
type sized struct {
	name  string
	lines int
}

// percentile returns the one of all that p of 100 are not larger than.
func percentile(all []sized, p int) sized {
	slices.SortFunc(all, func(a, b sized) int { return cmp.Compare(a.lines, b.lines) })
	return all[(len(all)-1)*p/100]
}

func TestSizes(t *testing.T) {
	var files, functions []sized
	code, tests := 0, 0
	for _, p := range packages(t) {
		whole := 0
		for _, name := range goFiles(t, p) {
			file := sized{p.name() + "/" + name, countLines(t, filepath.Join(p.Dir, name))}
			if p.testOnly() || strings.HasSuffix(name, "_test.go") {
				tests += file.lines
				continue
			}
			code += file.lines
			whole += file.lines
			files = append(files, file)
			functions = append(functions, functionsOf(t, filepath.Join(p.Dir, name), file.name)...)
		}
		if most := max(mostPackage, mostOf[p.name()]); whole > most {
			t.Errorf("package %s has %d lines, at most %d are allowed: which of its files hardly name one another?", p.name(), whole, most)
		}
	}
	if f := percentile(files, 90); f.lines > mostFileP90 {
		t.Errorf("one file in ten has more than %d lines (%s), at most %d are allowed", f.lines, f.name, mostFileP90)
	}
	if f := percentile(functions, 99); f.lines > mostFunctionP99 {
		t.Errorf("one function in a hundred has more than %d lines (%s), at most %d are allowed", f.lines, f.name, mostFunctionP99)
	}
	for _, f := range functions {
		if f.lines > mostFunction {
			t.Errorf("%s has %d lines, at most %d are allowed", f.name, f.lines, mostFunction)
		}
	}
	if float64(tests) < leastTests*float64(code) {
		t.Errorf("%d lines of tests for %d lines of code", tests, code)
	}
}

// goFiles lists the Go files of a package's folder, those of all systems.
func goFiles(t *testing.T, p goPackage) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".go" {
			names = append(names, e.Name())
		}
	}
	return names
}

func countLines(t *testing.T, name string) int {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

// functionsOf returns the functions and methods that a file declares.
func functionsOf(t *testing.T, file, name string) (all []sized) {
	t.Helper()
	set := token.NewFileSet()
	for _, d := range parse(t, set, file).Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			all = append(all, sized{name + ": " + f.Name.Name, set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1})
		}
	}
	return all
}
