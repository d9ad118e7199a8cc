using System.Globalization;
using System.Net;
using Hosting.Gateway.Routing;
using Npgsql;

namespace Hosting.Gateway;

/// <summary>A gateway's configuration, checked.</summary>
internal sealed record GatewayOptions
{
    /// <summary>PostgreSQL with the silos' membership; key <c>ConnectionStrings:Hosting</c>.</summary>
    public string ConnectionString { get; init; } = "";

    /// <summary>Cluster and service id of the silos; key <c>Hosting:Cluster</c>.</summary>
    public string Cluster { get; init; } = "hosting";

    /// <summary>Domain under which every app has a name, in lower case; key <c>Hosting:AppsDomain</c>.</summary>
    public string AppsDomain { get; init; } = "localhost";

    /// <summary>TCP port for users, 0 to 65535, 0 picks a free one; key <c>Hosting:Gateway:Port</c>.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Address to listen on for users; key <c>Hosting:Gateway:Address</c>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Any;

    /// <summary>Name of this gateway in logs; key <c>Hosting:Gateway:Name</c>.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Region whose containers are preferred; empty when there is none; key <c>Hosting:Gateway:Region</c>.</summary>
    public string Region { get; init; } = "";

    /// <summary>
    /// Requests that this gateway has in flight for a container from which on another region's containers are preferred,
    /// 1 to 1,000,000; key <c>Hosting:Gateway:SaturatedAt</c>.
    /// </summary>
    public int SaturatedAt { get; init; } = 100;

    /// <summary>Folder for the known routes; key <c>Hosting:Gateway:StateDirectory</c>, by default systemd's.</summary>
    public string StateDirectory { get; init; } = DefaultStateDirectory;

    /// <summary>Loopback port for health and metrics, 0 for none; key <c>Hosting:Gateway:AdminPort</c>.</summary>
    public int AdminPort { get; init; }

    /// <summary>How long a request waits for a container, 0 to 60 s; key <c>Hosting:Gateway:ParkSeconds</c>.</summary>
    public TimeSpan Park { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long it goes on serving after it was told to stop, 0 to 60 s; key <c>Hosting:Gateway:DrainSeconds</c>.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(2);

    private static string DefaultStateDirectory => Environment.GetEnvironmentVariable("STATE_DIRECTORY") ?? "gateway-state";

    /// <summary>Reads the configuration.</summary>
    /// <returns>The options, to be used only when there are no errors, and every error found.</returns>
    public static (GatewayOptions Options, IReadOnlyList<string> Errors) Read(IConfiguration configuration)
    {
        var errors = new List<string>();
        var gateway = configuration.GetSection("Hosting:Gateway");
        var options = new GatewayOptions
        {
            ConnectionString = ConnectionStringOf(configuration, errors),
            Cluster = Text(configuration, "Hosting:Cluster", "hosting"),
            AppsDomain = DomainOf(configuration, errors),
            Port = Number(gateway, "Port", 8080, 65535, errors),
            Address = AddressOf(gateway, errors),
            Name = Text(gateway, "Name", Environment.MachineName),
            Region = RegionOf(gateway, errors),
            SaturatedAt = Number(gateway, "SaturatedAt", 100, 1_000_000, errors, min: 1),
            StateDirectory = Text(gateway, "StateDirectory", DefaultStateDirectory),
            AdminPort = Number(gateway, "AdminPort", 0, 65535, errors),
            Park = TimeSpan.FromSeconds(Number(gateway, "ParkSeconds", 10, 60, errors)),
            Drain = TimeSpan.FromSeconds(Number(gateway, "DrainSeconds", 2, 60, errors)),
        };
        if (options.AdminPort != 0 && options.AdminPort == options.Port)
            errors.Add("Hosting:Gateway:AdminPort is the same as Hosting:Gateway:Port; give it a port of its own, or 0 for none.");
        return (options, errors);
    }

    private static string Text(IConfiguration section, string key, string fallback) =>
        string.IsNullOrWhiteSpace(section[key]) ? fallback : section[key]!;

    private static int Number(IConfigurationSection section, string key, int fallback, int max, List<string> errors, int min = 0)
    {
        var text = section[key];
        if (string.IsNullOrEmpty(text))
            return fallback;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        errors.Add($"{section.Path}:{key} is '{text}'; it has to be a number from {min} to {max}.");
        return fallback;
    }

    private static string DomainOf(IConfiguration configuration, List<string> errors)
    {
        var domain = Text(configuration, "Hosting:AppsDomain", "localhost").ToLowerInvariant().TrimEnd('.');
        if (!HostName.IsValid(domain))
            errors.Add($"Hosting:AppsDomain is '{domain}'; it has to be a domain name such as apps.example.com.");
        return domain;
    }

    private static string RegionOf(IConfigurationSection section, List<string> errors)
    {
        var region = section["Region"] ?? "";
        if (region.Length > 0 && (region.Contains('.') || region.Any(char.IsAsciiLetterUpper) || !HostName.IsValid(region)))
            errors.Add($"{section.Path}:Region is '{region}'; it has to be the name of a region such as eu-1: a-z, 0-9 and dashes.");
        return region;
    }

    private static IPAddress AddressOf(IConfigurationSection section, List<string> errors)
    {
        var text = Text(section, "Address", "0.0.0.0");
        if (IPAddress.TryParse(text, out var address))
            return address;
        errors.Add($"{section.Path}:Address is '{text}'; it has to be an IP address, 0.0.0.0 for every one of this machine.");
        return IPAddress.Any;
    }

    private static string ConnectionStringOf(IConfiguration configuration, List<string> errors)
    {
        var text = configuration.GetConnectionString("Hosting") ?? "";
        try
        {
            if (string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(text).Host))
                errors.Add("ConnectionStrings:Hosting names no host; give the PostgreSQL of the silos, such as Host=10.0.0.5;Database=hosting;Username=hosting.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            errors.Add($"ConnectionStrings:Hosting is not a PostgreSQL connection string: {e.Message}");
        }
        return text;
    }
}
