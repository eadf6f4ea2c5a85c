// Stands in for helm(1): hands its arguments and its standard input to whoever listens at the socket beside it
// (../stand-in-helm.mjs), and prints and exits as it is told.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

type command struct {
	Args  []string `json:"args"`
	Input string   `json:"input"`
}

type answer struct {
	Code   int    `json:"code"`
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	check(err)
	program, err := os.Executable()
	check(err)
	connection, err := net.Dial("unix", filepath.Join(filepath.Dir(program), "socket"))
	check(err)
	check(json.NewEncoder(connection).Encode(command{os.Args[1:], string(input)}))
	var told answer
	check(json.NewDecoder(connection).Decode(&told))
	fmt.Print(told.Stdout)
	fmt.Fprint(os.Stderr, told.Stderr)
	os.Exit(told.Code)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
