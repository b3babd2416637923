package main

import "github.com/rogpeppe/go-internal/testscript"

func user(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Fatalf("services are not made on Windows")
}
