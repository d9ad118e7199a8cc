using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>Certificates made for one start of one VM, in PEM: its own authority trusts nobody but the agent and this VM.</summary>
/// <param name="Authority">Certificate of the authority, whose key is forgotten at once.</param>
/// <param name="Server">Certificate of the VM.</param>
/// <param name="ServerKey">Its key.</param>
/// <param name="Client">Certificate of the agent.</param>
/// <param name="ClientKey">Its key.</param>
internal sealed record GuestCertificates(string Authority, string Server, string ServerKey, string Client, string ClientKey)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan Before = TimeSpan.FromDays(1);
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    /// <summary>Makes new ones.</summary>
    public static GuestCertificates Create(string vm, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={vm} authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        using var authority = request.CreateSelfSigned(now - Before, now + Lifetime);
        var (server, serverKey) = Sign(authority, $"CN={vm}", ServerAuthentication, now);
        var (client, clientKey) = Sign(authority, $"CN={vm} agent", ClientAuthentication, now);
        return new GuestCertificates(authority.ExportCertificatePem(), server, serverKey, client, clientKey);
    }

    /// <summary>How the agent shows who it is, and tells that the other end is the VM.</summary>
    public EngineTls Tls() => new(X509Certificate2.CreateFromPem(Client, ClientKey), X509Certificate2.CreateFromPem(Authority));

    private static (string Certificate, string Key) Sign(X509Certificate2 authority, string name, string usage, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], true));
        using var certificate = request.Create(authority, now - Before, now + Lifetime - TimeSpan.FromDays(1), RandomNumberGenerator.GetBytes(16));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
