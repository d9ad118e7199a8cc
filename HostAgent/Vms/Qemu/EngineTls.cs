using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Docker.DotNet;
using Microsoft.Net.Http.Client;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>TLS to a VM's engine with certificates at both ends; both come from the VM's own authority.</summary>
internal sealed class EngineTls(X509Certificate2 client, X509Certificate2 authority) : Credentials
{
    public override bool IsTlsCredentials() => true;

    public override HttpMessageHandler GetHandler(HttpMessageHandler innerHandler)
    {
        var handler = (ManagedHandler)innerHandler;
        handler.ClientCertificates = new X509CertificateCollection { client };
        handler.ServerCertificateValidationCallback = IsTheVm;
        return handler;
    }

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
