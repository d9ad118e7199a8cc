using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Hosting.HostAgent.Engine;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>TLS to a VM's engine with certificates at both ends; both come from the VM's own authority.</summary>
internal sealed class EngineTls(X509Certificate2 client, X509Certificate2 authority) : EngineTcp
{
    protected override SslClientAuthenticationOptions Tls => new()
    {
        LocalCertificateSelectionCallback = (_, _, _, _, _) => client,
        RemoteCertificateValidationCallback = IsTheVm,
    };

    /// <summary>Whoever has a certificate of this authority is the VM: no name needs to be compared.</summary>
    internal bool IsTheVm(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return false;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.Add(authority);
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var presented = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return own.Build(presented);
    }

    public override void Dispose()
    {
        client.Dispose();
        authority.Dispose();
        base.Dispose();
    }
}
