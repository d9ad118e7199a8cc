namespace Hosting.Silo.Api;

/// <summary>Where users reach apps: the gateways' address as seen from outside.</summary>
internal sealed class PublicAddress
{
    /// <summary>Domain under which every app has its name; <c>localhost</c> is this machine.</summary>
    public string AppsDomain { get; set; } = "localhost";

    /// <summary>Port of the gateways as users see it; 80 and 443 do not show in addresses.</summary>
    public int PublicPort { get; set; } = 8080;

    public bool IsValid => PublicPort is > 0 and < 65536 && Uri.CheckHostName(AppsDomain) == UriHostNameType.Dns;

    /// <summary>The address of an app.</summary>
    public string UrlOf(string app) => PublicPort switch
    {
        80 => $"http://{app}.{AppsDomain}",
        443 => $"https://{app}.{AppsDomain}",
        _ => $"http://{app}.{AppsDomain}:{PublicPort}",
    };
}
