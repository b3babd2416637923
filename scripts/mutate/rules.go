package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A rule is one condition.
type rule struct {
	number    int // from 1
	file      string
	function  string
	condition string
}

// instrument writes the package's files with a switch before every rule into
// work, and returns the rules and which file stands for which.
func instrument(dir, work string) (rules []rule, overlay map[string]string, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	overlay = map[string]string{}
	name := ""
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		code, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		changed, pkg, found, err := rewrite(filepath.Base(path), code, len(rules)+1)
		if err != nil {
			return nil, nil, err
		}
		name, rules = pkg, append(rules, found...)
		if err := replace(overlay, path, filepath.Join(work, filepath.Base(path)), changed); err != nil {
			return nil, nil, err
		}
	}
	if len(rules) == 0 {
		return nil, nil, fmt.Errorf("%s has no rules", dir)
	}
	switches := fmt.Sprintf("package %s\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\n"+
		"var ruleOff, _ = strconv.Atoi(os.Getenv(%q))\n\nfunc ruleOn(n int) bool { return n != ruleOff }\n", name, off)
	return rules, overlay, replace(overlay, filepath.Join(dir, "zz_mutate.go"), filepath.Join(work, "zz_mutate.go"), []byte(switches))
}

func replace(overlay map[string]string, path, by string, code []byte) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	overlay[path] = by
	return os.WriteFile(by, code, 0o600)
}

// rewrite puts a switch before every rule of one file; the first has the number
// from.
func rewrite(file string, code []byte, from int) (changed []byte, pkg string, rules []rule, err error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, code, parser.SkipObjectResolution)
	if err != nil {
		return nil, "", nil, err
	}
	var ends []insertion
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		for _, cond := range conditions(f) {
			begin, end := set.Position(cond.Pos()).Offset, set.Position(cond.End()).Offset
			r := rule{from + len(rules), file, f.Name.Name, strings.Join(strings.Fields(string(code[begin:end])), " ")}
			rules = append(rules, r)
			ends = append(ends, insertion{begin, fmt.Sprintf("(ruleOn(%d) && (", r.number)}, insertion{end, "))"})
		}
	}
	slices.SortStableFunc(ends, func(a, b insertion) int { return a.at - b.at })
	last := 0
	for _, x := range ends {
		changed = append(append(changed, code[last:x.at]...), x.text...)
		last = x.at
	}
	return append(changed, code[last:]...), parsed.Name.Name, rules, nil
}

type insertion struct {
	at   int
	text string
}

// conditions returns those under which f refuses.
func conditions(f *ast.FuncDecl) (list []ast.Expr) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			if n.Else == nil && refuses(f.Type, n.Body.List) && !passesOn(n) {
				list = append(list, operands(n.Cond)...)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil {
				return true
			}
			for _, c := range n.Body.List {
				if c := c.(*ast.CaseClause); refuses(f.Type, c.Body) {
					for _, x := range c.List {
						list = append(list, operands(x)...)
					}
				}
			}
		}
		return true
	})
	return list
}

// operands are the sides of an ||.
func operands(x ast.Expr) []ast.Expr {
	if b, ok := x.(*ast.BinaryExpr); ok && b.Op == token.LOR {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{x}
}

// refuses says whether a body does nothing but return an error, or false from a
// function with no other result.
func refuses(f *ast.FuncType, body []ast.Stmt) bool {
	if len(body) != 1 || f.Results.NumFields() == 0 {
		return false
	}
	r, ok := body[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) == 0 {
		return false
	}
	result, ok := f.Results.List[len(f.Results.List)-1].Type.(*ast.Ident)
	if !ok {
		return false
	}
	last, _ := r.Results[len(r.Results)-1].(*ast.Ident)
	if result.Name == "bool" && f.Results.NumFields() == 1 {
		return last != nil && last.Name == "false"
	}
	return result.Name == "error" && (last == nil || last.Name != "nil")
}

// passesOn says whether an if only hands on what a call with other results too
// returned: without them the function could not go on.
func passesOn(n *ast.IfStmt) bool {
	r := n.Body.List[0].(*ast.ReturnStmt)
	last, ok := r.Results[len(r.Results)-1].(*ast.Ident)
	if !ok || last.Name != "err" {
		return false
	}
	a, ok := n.Init.(*ast.AssignStmt)
	return !ok || len(a.Lhs) > 1
}
