using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Hosting.HostAgent.Utilization;

namespace Hosting.HostAgent.Configuration;

/// <summary>Turns what an operator wrote into settings, or into the list of everything that is wrong with it.</summary>
internal sealed partial class AgentSettingsFactory(Capacity machine)
{
    private const int DefaultDiskMiB = 20_480;
    private const int DefaultVms = 2;
    private const int MaxVms = 64;
    private const int MostDiskWrites = 1_000_000;
    private const int MostLabels = 64;
    private const int LongestLabel = 256;
    private readonly List<string> _errors = [];

    /// <summary>Reads the section; settings are null when there are errors.</summary>
    public static (AgentSettings? Settings, IReadOnlyList<string> Errors) Read(IConfiguration configuration, Capacity machine)
    {
        var factory = new AgentSettingsFactory(machine);
        var section = configuration.GetSection(AgentOptions.Section);
        factory.CheckKeys(section);
        AgentOptions options;
        try
        {
            options = section.Get<AgentOptions>() ?? new AgentOptions();
        }
        catch (InvalidOperationException error)
        {
            return (null, [.. factory._errors, error.InnerException?.Message ?? error.Message]);
        }

        var settings = factory.Create(options, Registries(section.GetSection("Registries")));
        return factory._errors.Count == 0 ? (settings, []) : (null, factory._errors);
    }

    private void CheckKeys(IConfigurationSection section)
    {
        var known = typeof(AgentOptions).GetProperties().Select(property => property.Name).Append("Registries")
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren().Where(child => !known.Contains(child.Key)))
            _errors.Add($"Agent:{child.Key} is not a setting; there are {string.Join(", ", known.Order())}.");
    }

    private AgentSettings Create(AgentOptions options, Dictionary<string, RegistryCredentials> registries)
    {
        var region = Label("Agent:Region", options.Region);
        var server = Label("Agent:Server", options.Server);
        var state = Directory("Agent:StateDirectory", options.StateDirectory, required: true) ?? "/";
        var capacity = ServerCapacity(options.Share);
        return new AgentSettings
        {
            Region = region,
            Server = server,
            Hubs = Hubs(options.Hubs),
            StateDirectory = state,
            ImagesDirectory = Directory("Agent:ImagesDirectory", options.ImagesDirectory, required: false),
            Capacity = capacity,
            HasShare = options.Share is not null,
            Vms = Vms(options, capacity),
            VmMemoryMiB = capacity.MemoryMiB - Math.Clamp(options.Reserve?.MemoryMiB ?? 0, 0, capacity.MemoryMiB),
            Labels = Labels(options.Labels),
            AdvertiseAddress = Address("Agent:AdvertiseAddress", options.AdvertiseAddress),
            Registries = registries,
            Primary = Primary(options.Primary),
            LastResortMemory = LastResortMemory(options.LastResortMemory),
            DiskWriteMiBPerSecond = DiskWrites(options.DiskWriteMiBPerSecond),
            VmImage = Directory("Agent:VmImage", options.VmImage, required: options.VmDriver == "qemu" || options.Vms.Any(vm => vm.Driver == "qemu")),
            PidFile = Directory("Agent:PidFile", options.PidFile, required: false),
            Names = new Names(state, region, server),
        };
    }

    /// <summary>Within what an app's constraints can ask for.</summary>
    private System.Collections.ObjectModel.ReadOnlyDictionary<string, string> Labels(IDictionary<string, string> labels)
    {
        if (labels.Count > MostLabels)
            _errors.Add($"Agent:Labels has {labels.Count} entries; at most {MostLabels} are possible.");
        foreach (var (label, value) in labels.Where(l => l.Key.Length > LongestLabel || l.Value is null || l.Value.Length > LongestLabel))
            _errors.Add($"Agent:Labels:{label[..Math.Min(label.Length, 80)]} must have a value, and name and value at most {LongestLabel} characters each.");
        return labels.AsReadOnly();
    }

    private string Label(string key, string? value)
    {
        if (value is { Length: <= 63 } && DnsLabel().IsMatch(value))
            return value;
        _errors.Add($"{key} must be a DNS label (lower-case letters, digits, dashes, at most 63 characters); it is '{value}'.");
        return "";
    }

    private string? Directory(string key, string? value, bool required)
    {
        if (!string.IsNullOrWhiteSpace(value))
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(value));
        if (required)
            _errors.Add($"{key} must be a path; it is missing.");
        return null;
    }

    private List<Uri> Hubs(IList<string> values)
    {
        var hubs = new List<Uri>();
        foreach (var value in values.Distinct())
        {
            if (Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
                hubs.Add(uri);
            else
                _errors.Add($"Agent:Hubs must be addresses such as http://10.0.0.5:8081; '{value}' is not.");
        }

        if (values.Count == 0)
            _errors.Add("Agent:Hubs must name at least one silo, such as http://10.0.0.5:8081.");
        return hubs;
    }

    private Capacity ServerCapacity(ShareOptions? share)
    {
        if (share is null)
            return machine;
        if (share.CpuMillis < 100 || share.CpuMillis > machine.CpuMillis)
            _errors.Add($"Agent:Share:CpuMillis must be 100 to the machine's {machine.CpuMillis}; it is {share.CpuMillis}.");
        if (share.MemoryMiB < 256 || share.MemoryMiB > machine.MemoryMiB)
            _errors.Add($"Agent:Share:MemoryMiB must be 256 to the machine's {machine.MemoryMiB}; it is {share.MemoryMiB}.");
        return new Capacity(share.CpuMillis, share.MemoryMiB);
    }

    private List<VmSettings> Vms(AgentOptions options, Capacity server)
    {
        if (options.Vms.Count > 0 && (options.VmCount is not null || options.VmDriver is not null))
            _errors.Add("Agent:Vms lists the VMs one by one, Agent:VmCount and Agent:VmDriver make equal ones: keep one way.");
        Range("Agent:VmCount", options.VmCount ?? DefaultVms, 0, MaxVms);
        if (options.VmDriver is not (null or "nested" or "qemu"))
            _errors.Add($"Agent:VmDriver must be 'nested' or 'qemu'; it is '{options.VmDriver}'.");
        var listed = options.Vms.Count > 0;
        var vms = Sized(listed ? options.Vms : [.. Enumerable.Range(1, Math.Clamp(options.VmCount ?? DefaultVms, 0, MaxVms))
            .Select(number => new VmOptions { Name = $"vm-{number}", Driver = options.VmDriver })], options.Reserve, server);
        return _errors.Count == 0 || listed ? Vms(vms, server) : [];
    }

    private IReadOnlyList<VmOptions> Sized(IList<VmOptions> vms, ReserveOptions? reserve, Capacity server)
    {
        Range("Agent:Reserve:CpuMillis", reserve?.CpuMillis ?? 0, 0, server.CpuMillis);
        Range("Agent:Reserve:MemoryMiB", reserve?.MemoryMiB ?? 0, 0, server.MemoryMiB);
        var (sized, errors) = VmSizes.Of(vms.AsReadOnly(), reserve ?? new ReserveOptions(), server);
        _errors.AddRange(errors);
        return sized;
    }

    private List<VmSettings> Vms(IReadOnlyList<VmOptions> values, Capacity server)
    {
        if (values.Count > MaxVms)
            _errors.Add($"Agent:Vms may have at most {MaxVms} entries; it has {values.Count}.");
        var vms = values.Select((vm, index) => Vm($"Agent:Vms:{index}", vm, server)).ToList();
        foreach (var name in vms.GroupBy(vm => vm.Name).Where(group => group.Key.Length > 0 && group.Count() > 1))
            _errors.Add($"Agent:Vms must have different names; '{name.Key}' is there {name.Count()} times.");
        return vms;
    }

    private VmSettings Vm(string key, VmOptions vm, Capacity server)
    {
        var name = Label($"{key}:Name", vm.Name);
        var driver = Driver($"{key}:Driver", vm.Driver);
        var own = driver != VmDriverKind.Engine;
        var capacity = new Capacity(vm.CpuMillis ?? 0, vm.MemoryMiB ?? 0);
        Range($"{key}:CpuMillis", capacity.CpuMillis, VmSizes.LeastCpuMillis, own ? server.CpuMillis : 1_000_000);
        Range($"{key}:MemoryMiB", capacity.MemoryMiB, VmSizes.LeastMemoryMiB, own ? server.MemoryMiB : 16_777_216);
        return own ? OwnVm(key, name, driver, vm, capacity) : EngineVm(key, name, vm, capacity);
    }

    private VmDriverKind Driver(string key, string? name)
    {
        if (name is not (null or "nested" or "qemu" or "engine"))
            _errors.Add($"{key} must be 'nested', 'qemu' or 'engine'; it is '{name}'.");
        return name switch { "engine" => VmDriverKind.Engine, "qemu" => VmDriverKind.Qemu, _ => VmDriverKind.Nested };
    }

    private VmSettings OwnVm(string key, string name, VmDriverKind driver, VmOptions vm, Capacity capacity)
    {
        if (vm.Endpoint is not null || vm.Address is not null)
            _errors.Add($"{key}: Endpoint and Address belong to the driver 'engine'; remove them or set Driver.");
        if (vm.DiskMiB is not null && driver != VmDriverKind.Qemu)
            _errors.Add($"{key}: DiskMiB belongs to the driver 'qemu'; remove it or set Driver.");
        var disk = vm.DiskMiB ?? DefaultDiskMiB;
        Range($"{key}:DiskMiB", disk, 512, 16_777_216);
        return new VmSettings(name, driver, capacity) { DiskMiB = disk };
    }

    private VmSettings EngineVm(string key, string name, VmOptions vm, Capacity capacity)
    {
        if (!Uri.TryCreate(vm.Endpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("unix" or "tcp" or "http"))
            _errors.Add($"{key}:Endpoint must be a Docker endpoint such as unix:///var/run/docker.sock; it is '{vm.Endpoint}'.");
        if (string.IsNullOrWhiteSpace(vm.Address) || Uri.CheckHostName(vm.Address) == UriHostNameType.Unknown)
            _errors.Add($"{key}:Address must be the host name or IP address of that engine's published ports; it is '{vm.Address}'.");
        return new VmSettings(name, VmDriverKind.Engine, capacity, endpoint, vm.Address);
    }

    private PrimarySettings? Primary(PrimaryOptions? primary)
    {
        if (primary is null)
            return null;
        var (cgroup, unit) = (NullIfBlank(primary.Cgroup), NullIfBlank(primary.Unit));
        if (new[] { cgroup is not null, unit is not null, primary.Pids.Count > 0, primary.Processes.Count > 0 }.Count(given => given) != 1)
            _errors.Add("Agent:Primary must have exactly one of Cgroup, Unit, Pids and Processes; without Agent:Primary it is everything that is not the agent's.");
        if (unit is not null && !UnitName().IsMatch(unit))
            _errors.Add($"Agent:Primary:Unit must be a unit's full name such as nginx.service; it is '{unit}'.");
        if (cgroup is not null && cgroup.Split('/').Contains(".."))
            _errors.Add($"Agent:Primary:Cgroup must be a control group such as /system.slice/nginx.service; it is '{cgroup}'.");
        foreach (var id in primary.Pids.Where(id => id <= 0))
            _errors.Add($"Agent:Primary:Pids must be process ids; {id} is none.");
        foreach (var name in primary.Processes.Where(name => name.Length is 0 or > 15))
            _errors.Add($"Agent:Primary:Processes must be names as 'ps -e' shows them, 1 to 15 characters; '{name}' is not.");
        return new PrimarySettings(cgroup, unit, primary.Pids.AsReadOnly(), primary.Processes.AsReadOnly());
    }

    private double LastResortMemory(double share)
    {
        if (share is not (> 0 and <= 1))
            _errors.Add(string.Create(CultureInfo.InvariantCulture, $"Agent:LastResortMemory must be a share of the memory over 0, up to 1; it is {share}."));
        return share;
    }

    private int DiskWrites(int mibPerSecond)
    {
        Range("Agent:DiskWriteMiBPerSecond", mibPerSecond, 0, MostDiskWrites);
        return mibPerSecond;
    }

    private static string? NullIfBlank(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;

    private void Range(string key, int value, int from, int to)
    {
        if (value < from || value > to)
            _errors.Add($"{key} must be {from} to {to}; it is {value}.");
    }

    private IPAddress? Address(string key, string? value)
    {
        if (string.IsNullOrWhiteSpace(value))
            return null;
        if (IPAddress.TryParse(value, out var address) && address.AddressFamily == AddressFamily.InterNetwork)
            return address;
        _errors.Add($"{key} must be an IPv4 address of this server; it is '{value}'.");
        return null;
    }

    /// <summary>A registry's name may hold a colon, which configuration takes for a level: join the levels again.</summary>
    private static Dictionary<string, RegistryCredentials> Registries(IConfigurationSection section)
    {
        var found = new Dictionary<string, RegistryCredentials>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in section.AsEnumerable(makePathsRelative: true))
        {
            if (pair.Key.EndsWith(":Username", StringComparison.OrdinalIgnoreCase) && pair.Value is not null)
            {
                var host = pair.Key[..^":Username".Length];
                found[host] = new RegistryCredentials(pair.Value, section[$"{host}:Password"] ?? "");
            }
        }

        return found;
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex DnsLabel();

    [GeneratedRegex("^[A-Za-z0-9:_.@\\\\-]+\\.(service|scope|slice)$")]
    private static partial Regex UnitName();
}
