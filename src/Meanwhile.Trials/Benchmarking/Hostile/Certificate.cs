using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Meanwhile.Trials.Benchmarking.Hostile;

/// <summary>A self-signed certificate for one day.</summary>
internal static class Certificate
{
    public static void Write(string certificateFile, string keyFile, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = time.GetUtcNow();
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddHours(-12), now.AddHours(12));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
    }
}
