using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>Certificates that nobody but the test trusts.</summary>
internal static class TestCertificate
{
    public static X509Certificate2 New(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
