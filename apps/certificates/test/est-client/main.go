// Enrols and renews with the EST client of others: est-client <host:port> <tenant> <backend> <token> <root.pem>
// Prints the serials of both certificates, each after it was verified.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log"
	"os"

	"github.com/globalsign/est"
)

func main() {
	address, tenant, backend, token := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	pem := must(os.ReadFile(os.Args[5]))
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no root")
	}
	client := &est.Client{Host: address, AdditionalPathSegment: tenant, ExplicitAnchor: roots}
	ctx := context.Background()

	intermediates := x509.NewCertPool()
	for _, ca := range must(client.CACerts(ctx)) {
		intermediates.AddCert(ca)
	}
	if attributes := must(client.CSRAttrs(ctx)); len(attributes.OIDs)+len(attributes.Attributes) != 0 {
		log.Fatal("attributes where there are none")
	}
	verify := func(leaf *x509.Certificate) {
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots:         roots,
			Intermediates: intermediates,
			KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(leaf.SerialNumber)
	}

	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	client.Username, client.Password = backend, token
	leaf := must(client.Enroll(ctx, request(&x509.CertificateRequest{}, key)))
	verify(leaf)

	client.Username, client.Password = "", ""
	client.Certificates, client.PrivateKey = []*x509.Certificate{leaf}, key
	same := &x509.CertificateRequest{
		Subject:     leaf.Subject,
		URIs:        leaf.URIs,
		DNSNames:    leaf.DNSNames,
		IPAddresses: leaf.IPAddresses,
	}
	next := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	verify(must(client.Reenroll(ctx, request(same, next))))
}

func request(template *x509.CertificateRequest, key *ecdsa.PrivateKey) *x509.CertificateRequest {
	return must(x509.ParseCertificateRequest(must(x509.CreateCertificateRequest(rand.Reader, template, key))))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
