using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Tests.Support;

/// <summary>An authority of the test's own, or one below it, that issues certificates for an hour.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TestAuthority(string name = "Meanwhile test authority", TestAuthority? above = null)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = TimeProvider.System.GetUtcNow();
        if (above is null)
        {
            _certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        }
        else
        {
            using var issued = request.Create(above._certificate, now.AddHours(-2), now.AddHours(2), RandomNumberGenerator.GetBytes(8));
            _certificate = issued.CopyWithPrivateKey(_key);
        }
    }

    public void WriteTo(string path) => File.WriteAllText(path, Pem);

    private string Pem => _certificate.ExportCertificatePem() + "\n";

    /// <summary>Issues a certificate for a host or a client.</summary>
    /// <param name="withAuthority">The authority's own certificate is written after it.</param>
    public void Issue(string name, string certificatePath, string keyPath, bool withAuthority = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(_certificate, now.AddHours(-1), now.AddHours(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem() + "\n" + (withAuthority ? Pem : ""));
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
