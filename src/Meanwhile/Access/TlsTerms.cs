using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Access;

/// <summary>The terms of TLS that a listener has, out of PEM files.</summary>
internal static class TlsTerms
{
    private static readonly List<SslApplicationProtocol> Protocols = [new("mqtt"), SslApplicationProtocol.Http11];

    /// <summary>Reads them.</summary>
    /// <param name="texts">The certificate, with those of the authorities between; its key; perhaps the authorities of clients, which then have to show a certificate.</param>
    /// <param name="refused">Told why the certificate of a client is refused.</param>
    /// <exception cref="FormatException">Something is missing, or does not belong together.</exception>
    public static SslServerAuthenticationOptions Parse(string[] texts, Action<string> refused)
    {
        try
        {
            var terms = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = ReadIdentity(texts[0], texts[1]),
                ApplicationProtocols = Protocols,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck, // As clients do: authorities of one's own seldom publish revocations.
            };
            return texts.Length > 2 ? RequireClients(terms, texts[2], refused) : terms;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new FormatException($"{e.Message.ReplaceLineEndings(" ").TrimEnd('.')}: expected certificates in PEM, and the key that belongs to the first one, without a password", e);
        }
    }

    private static SslStreamCertificateContext ReadIdentity(string certificate, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificate);
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        // By way of PKCS #12, because not every system takes a key from memory.
        var identity = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        return SslStreamCertificateContext.Create(identity, [.. chain.Skip(1)], offline: true);
    }

    private static SslServerAuthenticationOptions RequireClients(SslServerAuthenticationOptions terms, string authorities, Action<string> refused)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(authorities);
        if (trusted.Count == 0)
            throw new CryptographicException("there is no certificate of an authority of clients");
        terms.ClientCertificateRequired = true;
        terms.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        terms.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        terms.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (errors != SslPolicyErrors.None)
                refused(string.Join("; ", (chain?.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')) ?? []).Prepend($"certificate '{certificate?.Subject}': {errors}")));
            return errors == SslPolicyErrors.None;
        };
        return terms;
    }
}
