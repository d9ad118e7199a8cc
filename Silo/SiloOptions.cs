using System.Net;
using Hosting.Domain.Apps;
using Npgsql;

namespace Hosting.Silo;

/// <summary>Configuration of a silo, section <c>Hosting</c>.</summary>
internal sealed class SiloOptions
{
    /// <summary>PostgreSQL; <c>ConnectionStrings:Hosting</c>. Required.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// PostgreSQL of the regions that have one of their own, by name; <c>ConnectionStrings:Region:NAME</c>. Every silo is told
    /// of all: it keeps those it serves and reads the others for lists.
    /// </summary>
    public Dictionary<string, string> RegionConnectionStrings { get; set; } = [];

    /// <summary>Cluster and service id; every silo and gateway of one platform has the same.</summary>
    public string Cluster { get; set; } = "hosting";

    /// <summary>Name of this silo, for logs.</summary>
    public string Name { get; set; } = Environment.MachineName;

    /// <summary>Regions it serves, separated by commas. Required.</summary>
    public string Regions { get; set; } = "";

    /// <summary>Address that other silos and gateways reach it by, on loopback or a private network.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Port for other silos.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>Port for gateways and SDK clients.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>Port of the HTTP API.</summary>
    public int ApiPort { get; set; } = 8081;

    /// <summary>Port for agents (gRPC over HTTP/2 without TLS).</summary>
    public int AgentPort { get; set; } = 8082;

    /// <summary>How soon a silo's loss is noticed, and how long calls may take.</summary>
    public ClusterTuning Tuning { get; set; } = new();

    /// <summary>The regions, one by one.</summary>
    public string[] RegionNames => Regions.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Connection strings of the regions it serves that have a database of their own.</summary>
    public IReadOnlyDictionary<string, string> OwnDatabases => RegionConnectionStrings.Where(r => RegionNames.Contains(r.Key)).ToDictionary();

    /// <summary>Reads the configuration; every error is found at once.</summary>
    public static SiloOptions Read(IConfiguration configuration, List<string> errors)
    {
        var options = new SiloOptions();
        try
        {
            configuration.GetSection("Hosting:Silo").Bind(options);
        }
        catch (InvalidOperationException failure)
        {
            errors.Add($"Hosting:Silo: {failure.InnerException?.Message ?? failure.Message}");
        }
        options.Cluster = configuration["Hosting:Cluster"] ?? options.Cluster;
        options.ConnectionString = configuration.GetConnectionString("Hosting") ?? "";
        // Names of environment variables have no dashes, and names of regions no underscores.
        options.RegionConnectionStrings = configuration.GetSection("ConnectionStrings:Region").GetChildren()
            .Where(region => !string.IsNullOrEmpty(region.Value))
            .ToDictionary(region => region.Key.Replace('_', '-'), region => region.Value!, StringComparer.Ordinal);
        options.Check(errors);
        return options;
    }

    private void Check(List<string> errors)
    {
        if (ConnectionString.Length == 0)
            errors.Add("ConnectionStrings:Hosting is missing: give the address of PostgreSQL, for example Host=db;Database=hosting;Username=hosting.");
        foreach (var (region, text) in RegionConnectionStrings.Append(new("", ConnectionString)))
            CheckConnectionString(region, text, errors);
        Tuning.Check(errors);
        if (RegionNames.Length == 0)
            errors.Add("Hosting:Silo:Regions is missing: name the regions this silo serves, for example eu-1.");
        foreach (var region in RegionNames.Where(r => !DnsNames.IsLabel(r)))
            errors.Add($"Hosting:Silo:Regions: '{region}' is no region name: use a-z, 0-9 and dashes.");
        if (!IPAddress.TryParse(Address, out _))
            errors.Add($"Hosting:Silo:Address: '{Address}' is no IP address.");
        foreach (var (name, port) in new[] { ("SiloPort", SiloPort), ("GatewayPort", GatewayPort), ("ApiPort", ApiPort), ("AgentPort", AgentPort) })
        {
            if (port is < 1 or > 65_535)
                errors.Add($"Hosting:Silo:{name}: {port} is no port: use 1 to 65535.");
        }
    }

    private static void CheckConnectionString(string region, string text, List<string> errors)
    {
        var key = region.Length == 0 ? "ConnectionStrings:Hosting" : $"ConnectionStrings:Region:{region}";
        if (region.Length > 0 && !DnsNames.IsLabel(region))
            errors.Add($"{key}: '{region}' is no region name: use a-z, 0-9 and dashes.");
        try
        {
            _ = new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException)
        {
            errors.Add($"{key} is not a PostgreSQL connection string: {failure.Message}");
        }
    }
}
