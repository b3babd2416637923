package main

import "os"

// canBeginAnew: Windows puts no program into the place of another. A locked home's memory
// is given back to the system there, as far as Go does so.
const canBeginAnew = false

func beginAnew([]*os.File) error { return nil }

func inherited() ([]*os.File, error) { return nil, nil }
